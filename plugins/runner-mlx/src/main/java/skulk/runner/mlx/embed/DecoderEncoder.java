package skulk.runner.mlx.embed;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import skulk.runner.mlx.model.Batch;
import skulk.runner.mlx.model.CacheFullException;
import skulk.runner.mlx.model.Decoder;
import skulk.runner.mlx.model.KvSequence;
import skulk.runner.mlx.model.Logits;

/** Pools the final hidden states of a decoder: every token sees those before it. The cache is used within a batch only. */
final class DecoderEncoder implements TextEncoder {
    /** Tokens of a text per step: bounds the workspace of long texts. */
    private static final int CHUNK = 512;

    private final Decoder decoder;
    private final Pooling pooling;
    private final Logits states = new Logits();

    /** Takes over the decoder and closes it. */
    DecoderEncoder(Decoder decoder, Pooling pooling) {
        this.decoder = decoder;
        this.pooling = pooling;
    }

    @Override
    public int width() {
        return decoder.spec().hidden();
    }

    /** @throws CacheFullException if the texts do not fit the cache together */
    @Override
    public List<float[]> encode(List<int[]> texts) {
        List<KvSequence> sequences = new ArrayList<>();
        try {
            List<float[]> rows = new ArrayList<>();
            for (int[] text : texts) {
                sequences.add(decoder.cache().newSequence());
                rows.add(new float[Math.multiplyExact(text.length, width())]);
            }
            int longest = texts.stream().mapToInt(t -> t.length).max().orElse(0);
            for (int from = 0; from < longest; from += CHUNK) {
                step(texts, sequences, rows, from);
            }
            List<float[]> out = new ArrayList<>();
            for (int i = 0; i < texts.size(); i++) {
                out.add(pooling.pool(rows.get(i), 0, texts.get(i).length, width()));
            }
            return out;
        } finally {
            sequences.forEach(KvSequence::close);
        }
    }

    private void step(List<int[]> texts, List<KvSequence> sequences, List<float[]> rows, int from) {
        List<Batch.Slice> slices = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            int[] text = texts.get(i);
            if (from < text.length) {
                int[] part = Arrays.copyOfRange(text, from, Math.min(from + CHUNK, text.length));
                slices.add(new Batch.Slice(sequences.get(i), part, part.length));
            }
        }
        decoder.hidden(new Batch(slices), states);
        int row = 0;
        for (int i = 0; i < texts.size(); i++) {
            int count = Math.min(CHUNK, texts.get(i).length - from);
            if (count > 0) {
                System.arraycopy(states.values(), states.offset(row), rows.get(i), from * width(), count * width());
                row += count;
            }
        }
    }

    @Override
    public void close() {
        decoder.close();
    }
}
