package skulk.runner.mlx.grammar;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Optional;
import skulk.runner.mlx.sample.TokenMask;
import skulk.runner.mlx.text.Vocabulary;

/**
 * Keeps one sequence to a grammar. Near the end of its budget of tokens only tokens are let through after which the output can still be completed, so that a
 * limited output is whole wherever the limit allows it at all: every token is at least a byte, and the fewest bytes to the end are known.
 */
final class GrammarMask implements TokenMask {
    private final Matcher matcher;
    private final Vocabulary vocabulary;
    private final int[] endTokens;
    private final int slack;
    /** Made on first use: the matcher belongs to the driver thread. */
    private Optional<Matcher.Place> current = Optional.empty();

    private int tokensLeft;

    /** @param budget most tokens of the output */
    GrammarMask(CompiledGrammar grammar, int[] endTokens, int budget) {
        this.matcher = grammar.matcher();
        this.vocabulary = grammar.vocabulary();
        this.endTokens = endTokens.clone();
        this.slack = 2 * grammar.grammar().longestDistance() + 64;
        this.tokensLeft = budget;
    }

    private Matcher.Place place() {
        if (current.isEmpty()) {
            current = Optional.of(matcher.start());
        }
        return current.get();
    }

    @Override
    public void mask(float[] logits, int offset, int length) {
        Matcher.Place place = place();
        BitSet allowed = matcher.mask(place);
        if (tokensLeft >= place.distance && tokensLeft - slack < place.distance) {
            allowed = completable(place, allowed);
        }
        forbidOthers(allowed, place.ended || allowed.isEmpty(), new Row(logits, offset, length));
    }

    private record Row(float[] logits, int offset, int length) {
        void forbid(int from, int to) {
            Arrays.fill(logits, offset + from, offset + to, Float.NEGATIVE_INFINITY);
        }
    }

    /** Those of the allowed tokens after which the rest of the budget still reaches the end. */
    private BitSet completable(Matcher.Place place, BitSet allowed) {
        BitSet kept = new BitSet();
        for (int token = allowed.nextSetBit(0); token >= 0; token = allowed.nextSetBit(token + 1)) {
            if (matcher.step(place, vocabulary.bytes(token)).distance <= tokensLeft - 1) {
                kept.set(token);
            }
        }
        // a vocabulary without single bytes may have no token on the shortest way
        return kept.isEmpty() ? allowed : kept;
    }

    private void forbidOthers(BitSet allowed, boolean mayEnd, Row row) {
        float[] kept = new float[endTokens.length];
        for (int i = 0; i < endTokens.length; i++) {
            kept[i] = endTokens[i] < row.length ? row.logits[row.offset + endTokens[i]] : Float.NEGATIVE_INFINITY;
        }
        int from = 0;
        for (int next = allowed.nextSetBit(0); next >= 0 && next < row.length; next = allowed.nextSetBit(from)) {
            row.forbid(from, next);
            from = Math.min(row.length, allowed.nextClearBit(next));
        }
        row.forbid(from, row.length);
        for (int i = 0; mayEnd && i < endTokens.length; i++) {
            if (endTokens[i] < row.length) {
                row.logits[row.offset + endTokens[i]] = kept[i];
            }
        }
    }

    @Override
    public void accept(int token) {
        current = Optional.of(matcher.step(place(), vocabulary.special(token) ? new byte[0] : vocabulary.bytes(token)));
        tokensLeft--;
    }

    @Override
    public boolean complete() {
        Matcher.Place place = place();
        return place.ended && place.tops.length == 0;
    }
}
