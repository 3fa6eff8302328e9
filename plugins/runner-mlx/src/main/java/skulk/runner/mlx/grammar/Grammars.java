package skulk.runner.mlx.grammar;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import skulk.api.json.Json;
import skulk.runner.mlx.sample.TokenMask;
import skulk.runner.mlx.text.Vocabulary;

/**
 * Makes token masks for one model. Compiled grammars are kept, with all that was learnt while running them, for the next request with the same shape. Compiling
 * may happen on any thread; the masks run on the driver thread.
 */
public final class Grammars {
    private static final int KEPT = 64;

    private final Vocabulary vocabulary;
    private final int[] endTokens;
    private final Map<String, CompiledGrammar> compiled = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, CompiledGrammar> eldest) {
            return size() > KEPT;
        }
    };
    private Optional<Matcher.Tokens> tokens = Optional.empty();

    /** @param endTokens may come where the output may end */
    public Grammars(Vocabulary vocabulary, int[] endTokens) {
        this.vocabulary = vocabulary;
        this.endTokens = endTokens.clone();
    }

    /**
     * Output that is a JSON value of a schema, whole within so many tokens where that is possible at all.
     *
     * @throws skulk.api.problem.SkulkException (user error) naming the keyword that cannot be enforced
     */
    public TokenMask schema(Json schema, int budget) {
        return mask("schema " + schema, () -> SchemaGrammar.compile(schema), budget);
    }

    /** Output that is any JSON object. */
    public TokenMask anyObject(int budget) {
        return mask("object", SchemaGrammar::anyObject, budget);
    }

    /** Output that a regular expression matches whole. @throws skulk.api.problem.SkulkException (user error) naming what is not supported */
    public TokenMask regex(String pattern, int budget) {
        return mask(
                "regex " + pattern,
                () -> {
                    GrammarBuilder builder = new GrammarBuilder();
                    int start = builder.state();
                    builder.end(RegexGrammar.whole(builder, start, pattern, Characters.PLAIN));
                    return SchemaGrammar.finished(builder, start);
                },
                budget);
    }

    /** Output that is one or more calls of given tools. */
    public TokenMask calls(ToolCalls calls, int budget) {
        return mask("calls " + calls, calls::compile, budget);
    }

    private TokenMask mask(String key, Supplier<Grammar> make, int budget) {
        CompiledGrammar known;
        synchronized (compiled) {
            known = compiled.get(key);
        }
        if (known == null) {
            Grammar grammar = make.get();
            Matcher matcher = new Matcher(grammar, tokens());
            synchronized (compiled) {
                known = compiled.computeIfAbsent(key, k -> new CompiledGrammar(grammar, matcher, vocabulary));
            }
        }
        return new GrammarMask(known, endTokens, budget);
    }

    private Matcher.Tokens tokens() {
        synchronized (compiled) {
            if (tokens.isEmpty()) {
                tokens = Optional.of(Matcher.Tokens.of(vocabulary));
            }
            return tokens.get();
        }
    }
}
