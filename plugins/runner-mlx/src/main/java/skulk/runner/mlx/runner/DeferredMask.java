package skulk.runner.mlx.runner;

import java.util.Optional;
import java.util.function.IntFunction;
import skulk.runner.mlx.sample.TokenMask;
import skulk.runner.mlx.text.Vocabulary;

/** A mask that begins behind a marker, such as the end of reasoning; anything goes before. */
final class DeferredMask implements TokenMask {
    private final Vocabulary vocabulary;
    private final String marker;
    private final int budget;
    private final IntFunction<TokenMask> make;
    private final StringBuilder tail = new StringBuilder();
    private Optional<TokenMask> mask = Optional.empty();
    private int spent;

    /** @param make the mask for an output of at most so many tokens */
    DeferredMask(Vocabulary vocabulary, String marker, int budget, IntFunction<TokenMask> make) {
        this.vocabulary = vocabulary;
        this.marker = marker;
        this.budget = budget;
        this.make = make;
    }

    @Override
    public void mask(float[] logits, int offset, int length) {
        mask.ifPresent(m -> m.mask(logits, offset, length));
    }

    @Override
    public void accept(int token) {
        if (mask.isPresent()) {
            mask.get().accept(token);
            return;
        }
        spent++;
        tail.append(vocabulary.text(token));
        if (tail.indexOf(marker) >= 0) {
            mask = Optional.of(make.apply(Math.max(1, budget - spent)));
        }
        tail.delete(0, Math.max(0, tail.length() - marker.length()));
    }

    @Override
    public boolean complete() {
        return mask.map(TokenMask::complete).orElse(false);
    }
}
