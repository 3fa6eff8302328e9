package skulk.runner.mlx.embed;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import skulk.runner.mlx.kernel.Activation;
import skulk.runner.mlx.kernel.Backend;
import skulk.runner.mlx.kernel.NativeMemory;
import skulk.runner.mlx.kernel.Product;
import skulk.runner.mlx.kernel.RowKernels;
import skulk.runner.mlx.kernel.TileMatrix;
import skulk.runner.mlx.kernel.Tiles;
import skulk.runner.mlx.kernel.WorkerPool;
import skulk.runner.mlx.model.Linear;

/**
 * The encoder of bert, roberta and their descendants: post-norm transformer layers over rows of several texts laid end to
 * end, without padding.
 */
final class BertEncoder implements TextEncoder {
    private static final int ROWS_PER_TASK = 4;

    private final EncoderConfig config;
    private final EncoderWeights weights;
    private final Pooling pooling;
    private final RowKernels rows;
    private final Product product;
    private final EncoderAttention attention;
    private final Owned owned;
    private final float[] ones;
    private Buffers buffers = Buffers.of(0, 0, 0);

    /**
     * @param maxTokens longest text
     * @param owned closed with this encoder
     */
    BertEncoder(EncoderConfig config, EncoderWeights weights, Pooling pooling, int maxTokens, Owned owned) {
        this.config = config;
        this.weights = weights;
        this.pooling = pooling;
        this.rows = owned.backend.rows();
        this.product = new Product(owned.backend, owned.workers, owned.fast);
        this.attention = new EncoderAttention(owned.backend, owned.workers, owned.memory, config, maxTokens);
        this.owned = owned;
        this.ones = new float[config.inner()];
        Arrays.fill(ones, 1);
    }

    @Override
    public int width() {
        return config.hidden();
    }

    @Override
    public List<float[]> encode(List<int[]> texts) {
        int[] starts = starts(texts);
        int count = starts[texts.size()];
        if (buffers.rows < count) {
            buffers = Buffers.of(count, config.hidden(), config.inner());
        }
        embed(texts, starts);
        for (EncoderWeights.Layer layer : weights.layers()) {
            layer(layer, starts);
        }
        List<float[]> out = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            int width = config.hidden();
            out.add(pooling.pool(buffers.hidden, starts[i] * width, starts[i + 1] - starts[i], width));
        }
        return out;
    }

    private static int[] starts(List<int[]> texts) {
        int[] starts = new int[texts.size() + 1];
        for (int i = 0; i < texts.size(); i++) {
            starts[i + 1] = starts[i] + texts.get(i).length;
        }
        return starts;
    }

    private void embed(List<int[]> texts, int[] starts) {
        float[] hidden = buffers.hidden;
        int width = config.hidden();
        owned.workers.run(texts.size(), (text, worker) -> {
            int[] tokens = texts.get(text);
            for (int t = 0; t < tokens.length; t++) {
                int at = (starts[text] + t) * width;
                Tiles.row(weights.words(), tokens[t], hidden, at);
                rows.addScaled(hidden, at, weights.places()[config.firstPosition() + t], 0, width, 1);
                weights.norm().apply(hidden, at);
            }
        });
    }

    private void layer(EncoderWeights.Layer layer, int[] starts) {
        int count = starts[starts.length - 1];
        int width = config.hidden();
        Buffers b = buffers;
        List<Product.Unit> units = new ArrayList<>();
        for (int i = 0; i < layer.attention().size(); i++) {
            units.add(unit(layer.attention().get(i), b.hidden, count, b.qkv, i * width, 3 * width));
        }
        product.run(units);
        forRows(count, row -> {
            for (int i = 0; i < layer.attention().size(); i++) {
                addBias(layer.attention().get(i), b.qkv, (row * 3 + i) * width);
            }
        });
        attention.run(starts, b.qkv, b.mixed);
        product.run(List.of(unit(layer.mix(), b.mixed, count, b.added, 0, width)));
        forRows(count, row -> addAndNorm(layer.mix(), layer.middle(), row));
        product.run(List.of(unit(layer.widen(), b.hidden, count, b.inner, 0, config.inner())));
        forRows(count, row -> {
            addBias(layer.widen(), b.inner, row * config.inner());
            activate(b.inner, row * config.inner());
        });
        product.run(List.of(unit(layer.narrow(), b.inner, count, b.added, 0, width)));
        forRows(count, row -> addAndNorm(layer.narrow(), layer.last(), row));
    }

    private static Product.Unit unit(Linear linear, float[] x, int count, float[] y, int yAt, int yStride) {
        TileMatrix matrix = linear.parts().getFirst();
        return new Product.Unit(matrix, x, 0, matrix.cols(), count, y, yAt, yStride);
    }

    private void addBias(Linear linear, float[] x, int at) {
        linear.bias().ifPresent(bias -> rows.addScaled(x, at, bias, 0, bias.length, 1));
    }

    private void addAndNorm(Linear linear, LayerNorm norm, int row) {
        int at = row * config.hidden();
        addBias(linear, buffers.added, at);
        rows.addScaled(buffers.hidden, at, buffers.added, at, config.hidden(), 1);
        norm.apply(buffers.hidden, at);
    }

    private void activate(float[] x, int at) {
        if (config.activation() == Activation.GELU) {
            Gelu.apply(x, at, at + config.inner());
        } else {
            rows.gate(config.activation(), x, at, ones, 0, config.inner());
        }
    }

    private void forRows(int count, RowJob job) {
        owned.workers.run((count + ROWS_PER_TASK - 1) / ROWS_PER_TASK, (task, worker) -> {
            int end = Math.min(count, (task + 1) * ROWS_PER_TASK);
            for (int row = task * ROWS_PER_TASK; row < end; row++) {
                job.run(row);
            }
        });
    }

    @Override
    public void close() {
        owned.close();
    }

    private interface RowJob {
        void run(int row);
    }

    /**
     * What an encoder computes with and frees.
     *
     * @param fast round activations where weights have 4 bits
     */
    record Owned(Backend backend, WorkerPool workers, NativeMemory memory, boolean fast) implements AutoCloseable {
        @Override
        public void close() {
            workers.close();
            memory.close();
        }
    }

    /** Activations of up to {@code rows} rows. */
    private record Buffers(int rows, float[] hidden, float[] qkv, float[] mixed, float[] added, float[] inner) {
        static Buffers of(int rows, int hidden, int inner) {
            int size = Math.multiplyExact(rows, hidden);
            return new Buffers(
                    rows,
                    new float[size],
                    new float[Math.multiplyExact(3, size)],
                    new float[size],
                    new float[size],
                    new float[Math.multiplyExact(rows, inner)]);
        }
    }
}
