/**
 * Renders the chat templates that models ship with: Jinja2 as Hugging Face configures it, written for this project.
 *
 * @see skulk.runner.mlx.template.ChatTemplate
 */
package skulk.runner.mlx.template;
