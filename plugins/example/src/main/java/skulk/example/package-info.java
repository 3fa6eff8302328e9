/**
 * A small, complete plugin to copy.
 *
 * @see skulk.example.ExamplePlugin
 */
package skulk.example;
