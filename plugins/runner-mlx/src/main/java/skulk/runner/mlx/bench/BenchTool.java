package skulk.runner.mlx.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.spi.ToolProvider;
import skulk.api.json.JsonObject;
import skulk.api.json.Records;
import skulk.api.problem.SkulkException;
import skulk.runner.mlx.checkpoint.CheckpointException;
import skulk.runner.mlx.model.EngineProbe;
import skulk.runner.mlx.model.SyntheticCheckpoint;

/** {@code skulk bench}: the engine on this machine, through the decoder and scheduler that serve; or a server by its URL. */
public final class BenchTool implements ToolProvider {
    private static final String USAGE = """
            usage: bench --synthetic SHAPE | --model FOLDER  [--threads N] [--bits 4|8|16] [--group 32|64|128]
                         [--kernels auto|exact|fast] [--prompt 512] [--generate 64] [--batch 1,2,4] [--repeat 3]
                         [--rest SECONDS] [--json]
                   bench --synthetic SHAPE | --model FOLDER  --ranks N [--sharding Pipeline|Tensor] [--pin] [--layers 6,10]
                         [--threads 1] [--bits 4|8|16] [--group 32|64|128] [--kernels auto|exact|fast]
                         [--generate 16] [--batch 1,2,4] [--repeat 5] [--json]
                   bench --serving --synthetic SHAPE | --model FOLDER  [--threads N] [--prompt 2000] [--intruder 4000]
                         [--batch 4] [--json]
                   bench --engine [--threads N] [--json]
                   bench --url http://HOST:PORT --model ID [--key KEY] [--concurrency 1,2,4,8] [--requests 16]
                         [--prompt 128] [--generate 64] [--json]
                   bench --url http://HOST:PORT --model ID --soak MINUTES [--key KEY] [--concurrency 8]
                         [--cancel-rate 0.2] [--cancel-within 1500] [--prompt 512] [--generate 64] [--json]
              --rest waits after loading, until what the compiler took is given back, and measures resident memory then
              --engine measures what nodes tell each other of their kernels, for forecasts
              --ranks splits the model over processes and compares with one process; --pin gives each a core of its own
              shapes: %s
            """;

    @Override
    public String name() {
        return "bench";
    }

    private static JsonObject measure(Options options, PrintWriter err) throws IOException, InterruptedException {
        if (options.has("soak")) {
            return SoakBench.run(options, err);
        }
        if (options.has("url")) {
            return LoadBench.run(options);
        }
        if (options.has("serving")) {
            return ServingBench.run(options);
        }
        if (options.has("engine")) {
            int threads = options.number("threads", Runtime.getRuntime().availableProcessors());
            return (JsonObject) Records.toJson(EngineProbe.measure(threads));
        }
        return options.has("ranks") ? RanksBench.run(options) : EngineBench.run(options);
    }

    @Override
    public int run(PrintWriter out, PrintWriter err, String... args) {
        try {
            Options options = Options.parse(List.of(args));
            JsonObject result = measure(options, err);
            out.println(options.has("json") ? result.toPrettyString() : Report.text(result));
            out.flush();
            return 0;
        } catch (IllegalArgumentException e) {
            err.println("bench: " + e.getMessage());
            err.print(USAGE.formatted(String.join(", ", SyntheticCheckpoint.shapes())));
            err.flush();
            return 2;
        } catch (IOException | CheckpointException | SkulkException e) {
            err.println("bench: " + e.getMessage());
            err.flush();
            return 1;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return 130;
        }
    }
}
