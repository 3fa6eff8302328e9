/** Runs MLX and Hugging Face checkpoints: kernels, architectures, batching, text. */
module skulk.runner.mlx {
    requires skulk.api;
    requires ai.djl.tokenizers;
    requires jdk.management;
    // The node process resolves this plugin without the vector module; only rank processes and tools have it.
    requires static jdk.incubator.vector;
}
