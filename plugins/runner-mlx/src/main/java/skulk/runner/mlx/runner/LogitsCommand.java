package skulk.runner.mlx.runner;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import skulk.api.json.Json;
import skulk.runner.mlx.model.Decoder;
import skulk.runner.mlx.model.DecoderLoader;
import skulk.runner.mlx.model.LoadOptions;
import skulk.runner.mlx.model.LoadOptions.Kernels;
import skulk.runner.mlx.model.Logits;
import skulk.runner.mlx.schedule.RankSequences;
import skulk.runner.mlx.schedule.StepPlan;
import skulk.runner.mlx.shard.LocalGroup;
import skulk.runner.mlx.shard.Splits;

/** {@code model logits}: the logits after a prompt and after each greedy token. */
final class LogitsCommand {
    private LogitsCommand() {}

    static void run(Path folder, Arguments arguments, PrintWriter out) throws IOException {
        arguments.allow(Set.of("tokens", "greedy", "chunk", "kernels", "threads", "ranks", "sharding"));
        int[] prompt = arguments.numbers("tokens");
        int steps = arguments.number("greedy", 0, 0);
        int chunk = arguments.number("chunk", prompt.length, 1);
        if (arguments.number("ranks", 1, 1) == 1) {
            try (Decoder decoder = DecoderLoader.load(folder, options(folder, arguments))) {
                print(new Engine(decoder, plan -> {}), prompt, steps, chunk, out);
            }
            return;
        }
        try (LocalGroup group = new LocalGroup(folder, parts(folder, arguments), options(folder, arguments))) {
            print(new Engine(group.decoder(), group::plan), prompt, steps, chunk, out);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private static List<LoadOptions.Shard> parts(Path folder, Arguments arguments) {
        int ranks = arguments.number("ranks", 1, 1);
        return switch (arguments.text("sharding").orElse("Pipeline")) {
            case "Pipeline" -> Splits.pipeline(folder, ranks);
            case "Tensor" -> Splits.tensor(ranks);
            default -> throw new IllegalArgumentException("--sharding must be Pipeline or Tensor");
        };
    }

    private static void print(Engine engine, int[] prompt, int steps, int chunk, PrintWriter out) {
        try (RankSequences sequences = new RankSequences(engine.decoder)) {
            Logits logits = new Logits();
            engine.run(sequences, StepPlan.opening(0), logits);
            for (int from = 0; from < prompt.length; from += chunk) {
                int to = Math.min(prompt.length, from + chunk);
                int[] tokens = Arrays.copyOfRange(prompt, from, to);
                engine.run(sequences, StepPlan.growing(0, tokens, to == prompt.length ? 1 : 0), logits);
            }
            int[] greedy = new int[steps];
            StringBuilder rows = new StringBuilder();
            appendRow(logits, rows);
            for (int i = 0; i < steps; i++) {
                greedy[i] = logits.argmax(0);
                engine.run(sequences, StepPlan.growing(0, new int[] {greedy[i]}, 1), logits);
                appendRow(logits, rows.append(','));
            }
            out.println(
                    "{\"kernels\":" + Json.of(engine.decoder.spec().kernels()).toString() + ",\"prompt\":"
                            + list(prompt) + ",\"greedy\":" + list(greedy) + ",\"logits\":[" + rows + "]}");
        }
    }

    /** A decoder, and who else takes its steps. */
    private record Engine(Decoder decoder, Consumer<StepPlan> followers) {
        void run(RankSequences sequences, StepPlan plan, Logits logits) {
            followers.accept(plan);
            sequences.run(plan, logits);
        }
    }

    private static LoadOptions options(Path folder, Arguments arguments) {
        LoadOptions options = LoadOptions.defaults();
        return options.withKernels(kernels(folder, arguments))
                .withThreads(arguments.number("threads", options.threads(), 1));
    }

    /** This command compares with MLX: without a choice, a checkpoint that MLX evaluates in BF16 is evaluated so. */
    private static Kernels kernels(Path folder, Arguments arguments) {
        String name = arguments.text("kernels").orElse(DecoderLoader.takesBf16(folder) ? "mlx" : "auto");
        return Arrays.stream(Kernels.values())
                .filter(k -> k.name().equalsIgnoreCase(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("--kernels must be auto, exact, fast or mlx"));
    }

    private static void appendRow(Logits logits, StringBuilder into) {
        into.append('[');
        for (int i = 0; i < logits.vocab(); i++) {
            into.append(i == 0 ? "" : ",").append(logits.values()[i]);
        }
        into.append(']');
    }

    private static String list(int[] numbers) {
        return Arrays.toString(numbers).replace(" ", "");
    }
}
