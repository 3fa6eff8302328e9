package skulk.runner.mlx.embed;

import java.util.List;
import skulk.runner.mlx.checkpoint.Fields;
import skulk.runner.mlx.kernel.Activation;

/**
 * {@code config.json} of an encoder of the bert family.
 *
 * @param inner width of the feed-forward block
 * @param types rows of the token type table; texts are of type 0
 * @param positions rows of the position table
 * @param firstPosition row of a text's first token: 0, but {@code pad_token_id + 1} for roberta and its descendants
 */
record EncoderConfig(
        String modelType,
        int vocab,
        int hidden,
        int layers,
        int heads,
        int inner,
        int types,
        int positions,
        int firstPosition,
        Activation activation,
        double eps) {
    private static final List<String> FROM_ZERO = List.of("bert");
    private static final List<String> FROM_PADDING = List.of("roberta", "xlm-roberta", "camembert");
    private static final int MAX_LAYERS = 1024;

    /**
     * @param f of a {@link #isKnown} type
     * @throws skulk.runner.mlx.checkpoint.CheckpointException naming the field that cannot be honoured
     */
    static EncoderConfig of(Fields f) {
        String type = f.text("model_type").orElseThrow(() -> f.wrong("model_type", "is missing"));
        f.text("position_embedding_type").filter(p -> !p.equals("absolute")).ifPresent(p -> {
            throw f.wrong("position_embedding_type", "is " + p + "; known is absolute");
        });
        if (f.flag("is_decoder", false)) {
            throw f.wrong("is_decoder", "is true; encoders see both ways");
        }
        int hidden = f.count("hidden_size", 1);
        int heads = f.count("num_attention_heads", 1);
        if (hidden % heads != 0) {
            throw f.wrong("hidden_size", "is " + hidden + ", not a multiple of " + heads + " heads");
        }
        int layers = f.count("num_hidden_layers", 1);
        if (layers > MAX_LAYERS) {
            throw f.wrong("num_hidden_layers", "is " + layers);
        }
        int first = FROM_PADDING.contains(type) ? f.count("pad_token_id", 0, 1) + 1 : 0;
        int positions = f.count("max_position_embeddings", 1, 512);
        if (positions <= first) {
            throw f.wrong("max_position_embeddings", "is " + positions + ", the first position is " + first);
        }
        return new EncoderConfig(
                type,
                f.count("vocab_size", 1),
                hidden,
                layers,
                heads,
                f.count("intermediate_size", 1),
                f.count("type_vocab_size", 1, 2),
                positions,
                first,
                activation(f),
                f.positive("layer_norm_eps", 1e-12));
    }

    /** Whether this package runs a {@code model_type}. */
    static boolean isKnown(String modelType) {
        return FROM_ZERO.contains(modelType) || FROM_PADDING.contains(modelType);
    }

    private static Activation activation(Fields f) {
        String name = f.text("hidden_act").orElse("gelu");
        return Activation.of(name)
                .filter(a -> a != Activation.CLAMPED_SWIGLU)
                .orElseThrow(() -> f.wrong("hidden_act", "is " + name + "; known are " + Activation.known()));
    }

    /** Most tokens that the position table allows. */
    int maxTokens() {
        return positions - firstPosition;
    }

    /** Width of a head. */
    int headWidth() {
        return hidden / heads;
    }
}
