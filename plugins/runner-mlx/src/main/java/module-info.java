/** Runs MLX and Hugging Face checkpoints: kernels, architectures, batching, text. */
module skulk.runner.mlx {
    requires skulk.api;
    requires ai.djl.tokenizers;
    // DJL's automatic modules do not pull it into the resolution
    requires org.slf4j;
    requires java.net.http;
    requires jdk.management;
    // The node process resolves this plugin without the vector module; only rank processes and tools have it.
    requires static jdk.incubator.vector;

    provides skulk.api.Plugin with
            skulk.runner.mlx.runner.MlxPlugin;
    provides java.util.spi.ToolProvider with
            skulk.runner.mlx.bench.BenchTool,
            skulk.runner.mlx.runner.ModelTool;
}
