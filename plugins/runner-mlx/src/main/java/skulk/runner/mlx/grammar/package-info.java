/**
 * Output that keeps to a grammar: JSON schemas and regular expressions become automata over bytes, automata become token masks.
 *
 * @see skulk.runner.mlx.grammar.Grammars
 */
package skulk.runner.mlx.grammar;
