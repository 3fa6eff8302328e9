package skulk.runner.mlx.model;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import skulk.runner.mlx.checkpoint.Fields;
import skulk.runner.mlx.kernel.Activation;
import skulk.runner.mlx.model.LoadOptions.Shard;

/**
 * The fields that nearly all configurations share.
 *
 * @param fields the model's section
 * @param modelType {@code model_type}
 * @param layers {@code num_hidden_layers}
 * @param kvHeads {@code num_key_value_heads}, {@code heads} where absent
 * @param width {@code head_dim}, {@code hidden / heads} where absent
 * @param eps {@code rms_norm_eps}
 */
record Common(Fields fields, String modelType, int hidden, int layers, int heads, int kvHeads, int width, double eps) {
    private static final int MAX_LAYERS = 4096;
    private static final int DEFAULT_CONTEXT = 32768;

    static Common of(Fields f) {
        int hidden = f.count("hidden_size", 1);
        int heads = f.count("num_attention_heads", 1);
        int kvHeads = f.count("num_key_value_heads", 1, heads);
        if (heads % kvHeads != 0) {
            throw f.wrong("num_attention_heads", "is " + heads + ", not a multiple of " + kvHeads + " key/value heads");
        }
        int width = f.findCount("head_dim", 1).orElseGet(() -> {
            if (hidden % heads != 0) {
                throw f.wrong("head_dim", "is missing and hidden_size is not a multiple of the heads");
            }
            return hidden / heads;
        });
        int layers = f.count("num_hidden_layers", 1);
        if (layers > MAX_LAYERS) {
            throw f.wrong("num_hidden_layers", "is " + layers);
        }
        String type = f.text("model_type").orElse("");
        return new Common(f, type, hidden, layers, heads, kvHeads, width, f.positive("rms_norm_eps", 1e-6));
    }

    int inner() {
        return fields.count("intermediate_size", 1);
    }

    int vocab() {
        return fields.count("vocab_size", 1);
    }

    Architecture.Shape shape() {
        return new Architecture.Shape(
                modelType, vocab(), hidden, layers, fields.count("max_position_embeddings", 1, DEFAULT_CONTEXT));
    }

    AttentionBlock.Config attention(boolean bias, boolean outBias) {
        return new AttentionBlock.Config(hidden, heads, kvHeads, width, bias, outBias);
    }

    /** How many dimensions of a head turn. */
    int rotated() {
        double factor = fields.findNumber("partial_rotary_factor")
                .or(() -> fields.object("rope_parameters").flatMap(p -> p.findNumber("partial_rotary_factor")))
                .orElse(1.0);
        return (int) (width * factor);
    }

    /** {@code hidden_act} or {@code hidden_activation}. */
    Activation activation(Activation absent) {
        Optional<String> name = fields.text("hidden_activation").or(() -> fields.text("hidden_act"));
        return name.map(n -> Activation.of(n)
                        .orElseThrow(() -> fields.wrong("hidden_act", "is " + n + "; known are " + Activation.known())))
                .orElse(absent);
    }

    /** Layers held by a shard. */
    List<Integer> held(Shard shard) {
        int end = Math.min(shard.endLayer(), layers);
        if (shard.firstLayer() >= end) {
            throw fields.wrong("num_hidden_layers", "is " + layers + ", no layer " + shard.firstLayer());
        }
        return IntStream.range(shard.firstLayer(), end).boxed().toList();
    }

    /**
     * What stands before {@code norm} and {@code layers}: families wrapped for several modalities nest deeper, embedding
     * models often have no head and nothing before.
     */
    String prefix(Weights w) {
        return w.prefix("norm.weight", "model.", "language_model.model.", "model.language_model.", "");
    }

    /** {@code layer_types}, checked, if present. */
    Optional<List<String>> layerTypes(String... known) {
        return fields.texts("layer_types").map(types -> {
            if (types.size() < layers) {
                throw fields.wrong("layer_types", "has " + types.size() + " entries for " + layers + " layers");
            }
            for (String type : types) {
                if (!List.of(known).contains(type)) {
                    throw fields.wrong("layer_types", "holds " + type + "; known are " + String.join(", ", known));
                }
            }
            return types;
        });
    }
}
