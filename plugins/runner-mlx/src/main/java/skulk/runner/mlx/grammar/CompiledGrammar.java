package skulk.runner.mlx.grammar;

import skulk.runner.mlx.text.Vocabulary;

/** A grammar with the memory of its runs over one vocabulary. */
record CompiledGrammar(Grammar grammar, Matcher matcher, Vocabulary vocabulary) {}
