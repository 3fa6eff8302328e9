package skulk.runner.mlx.embed;

import java.util.List;
import java.util.stream.IntStream;
import skulk.runner.mlx.kernel.TileMatrix;
import skulk.runner.mlx.kernel.Tiles;
import skulk.runner.mlx.model.Linear;
import skulk.runner.mlx.model.Weights;

/**
 * The weights of an encoder, under the names that Hugging Face's bert and roberta have.
 *
 * @param words one row per token
 * @param places one row per position: its embedding plus that of token type 0
 */
record EncoderWeights(TileMatrix words, float[][] places, LayerNorm norm, List<Layer> layers, long bytes) {
    private static final String WORDS = "embeddings.word_embeddings";

    EncoderWeights {
        layers = List.copyOf(layers);
    }

    /** @throws skulk.runner.mlx.checkpoint.CheckpointException naming the tensor that is missing or has another shape */
    static EncoderWeights load(Weights w, EncoderConfig c) {
        String prefix = w.prefix(
                WORDS + ".weight", "", "bert.", "roberta.", "model.", "model.bert.", "model.roberta.", "auto_model.");
        TileMatrix words = w.matrix(prefix + WORDS, c.vocab(), c.hidden());
        TileMatrix positions = w.matrix(prefix + "embeddings.position_embeddings", c.positions(), c.hidden());
        TileMatrix types = w.matrix(prefix + "embeddings.token_type_embeddings", c.types(), c.hidden());
        float[] type = new float[c.hidden()];
        Tiles.row(types, 0, type, 0);
        float[][] places = new float[c.positions()][c.hidden()];
        for (int p = 0; p < places.length; p++) {
            Tiles.row(positions, p, places[p], 0);
            for (int d = 0; d < type.length; d++) {
                places[p][d] += type[d];
            }
        }
        LayerNorm norm = norm(w, prefix + "embeddings.LayerNorm", c);
        List<Layer> layers = IntStream.range(0, c.layers())
                .mapToObj(i -> layer(w, prefix + "encoder.layer." + i + ".", c))
                .toList();
        return new EncoderWeights(words, places, norm, layers, w.bytes());
    }

    private static Layer layer(Weights w, String at, EncoderConfig c) {
        int hidden = c.hidden();
        return new Layer(
                List.of(
                        w.linear(at + "attention.self.query", hidden, hidden),
                        w.linear(at + "attention.self.key", hidden, hidden),
                        w.linear(at + "attention.self.value", hidden, hidden)),
                w.linear(at + "attention.output.dense", hidden, hidden),
                norm(w, at + "attention.output.LayerNorm", c),
                w.linear(at + "intermediate.dense", c.inner(), hidden),
                w.linear(at + "output.dense", hidden, c.inner()),
                norm(w, at + "output.LayerNorm", c));
    }

    /** Checkpoints converted from TensorFlow call the weights gamma and beta. */
    private static LayerNorm norm(Weights w, String path, EncoderConfig c) {
        boolean old = w.has(path + ".gamma");
        int size = c.hidden();
        return new LayerNorm(
                w.tensor(path + (old ? ".gamma" : ".weight")).expect(size).floats(0, size),
                w.tensor(path + (old ? ".beta" : ".bias")).expect(size).floats(0, size),
                c.eps());
    }

    /**
     * One layer.
     *
     * @param attention query, key and value
     * @param mix after attention, followed by its norm
     */
    record Layer(List<Linear> attention, Linear mix, LayerNorm middle, Linear widen, Linear narrow, LayerNorm last) {
        Layer {
            attention = List.copyOf(attention);
        }
    }
}
