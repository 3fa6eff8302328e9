/**
 * Text in and out of a model: tokenizer, prompts, incremental detokenising, stop strings, and the stream parsers that
 * split output into content, reasoning and tool calls.
 *
 * @see skulk.runner.mlx.text.TextModel
 */
package skulk.runner.mlx.text;
