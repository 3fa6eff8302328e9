package skulk.runner.mlx.runner;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.spi.ToolProvider;
import skulk.api.json.JsonException;
import skulk.api.problem.SkulkException;
import skulk.runner.mlx.checkpoint.CheckpointException;
import skulk.runner.mlx.model.SyntheticCheckpoint;
import skulk.runner.mlx.template.TemplateException;

/** {@code skulk model}: looks at a model without serving it, through the code that serves. */
public final class ModelTool implements ToolProvider {
    private static final String USAGE = """
            usage: model logits FOLDER --tokens 1,2,3 [--greedy N] [--chunk K] [--kernels auto|exact|fast|mlx] [--threads N]
                                [--ranks N] [--sharding Pipeline|Tensor]
                   model render FOLDER_OR_TEMPLATE --context FILE.json
                   model synthetic FOLDER --shape SHAPE [--bits 4|8|16] [--group 32|64|128]
              logits  prints {"kernels":"…","prompt":[…],"greedy":[…],"logits":[[…],…]}: one row after the prompt, then
                      one after each of N greedy tokens; --chunk feeds the prompt K tokens at a time; --ranks runs N
                      processes that hold consecutive layers each (Pipeline) or a share of every tensor (Tensor);
                      --kernels auto evaluates as serving does, mlx rounds to BF16 after every operation as MLX does
                      on a CPU: the default for small checkpoints in BF16, so that the two can be compared
              render  prints the prompt that a chat template makes of one context object, byte for byte
              synthetic  writes a checkpoint of a real shape with random weights, to measure a cluster with; shapes: %s
            """.formatted(String.join(", ", SyntheticCheckpoint.shapes()));

    @Override
    public String name() {
        return "model";
    }

    @Override
    public int run(PrintWriter out, PrintWriter err, String... args) {
        List<String> arguments = List.of(args);
        try {
            if (arguments.size() < 2) {
                throw new IllegalArgumentException("a subcommand and a folder are needed");
            }
            Arguments options = Arguments.parse(arguments.subList(2, arguments.size()));
            Path subject = Path.of(arguments.get(1));
            switch (arguments.getFirst()) {
                case "logits" -> LogitsCommand.run(subject, options, out);
                case "render" -> RenderCommand.run(subject, options, out);
                case "synthetic" -> synthetic(subject, options);
                default -> throw new IllegalArgumentException("no subcommand '" + arguments.getFirst() + "'");
            }
            out.flush();
            return 0;
        } catch (IllegalArgumentException e) {
            err.println("model: " + e.getMessage());
            err.print(USAGE);
            err.flush();
            return 2;
        } catch (IOException | CheckpointException | TemplateException | JsonException | SkulkException e) {
            err.println("model: " + e.getMessage());
            err.flush();
            return 1;
        }
    }

    private static void synthetic(Path folder, Arguments options) throws IOException {
        options.allow(Set.of("shape", "bits", "group"));
        String shape = options.required("shape");
        SyntheticCheckpoint.write(folder, shape, options.number("bits", 4, 4), options.number("group", 64, 32));
    }
}
