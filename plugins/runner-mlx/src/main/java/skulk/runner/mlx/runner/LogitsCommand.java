package skulk.runner.mlx.runner;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;
import skulk.runner.mlx.model.Batch;
import skulk.runner.mlx.model.Decoder;
import skulk.runner.mlx.model.DecoderLoader;
import skulk.runner.mlx.model.KvSequence;
import skulk.runner.mlx.model.LoadOptions;
import skulk.runner.mlx.model.Logits;

/** {@code model logits}: the logits after a prompt and after each greedy token. */
final class LogitsCommand {
    private LogitsCommand() {}

    static void run(Path folder, Arguments arguments, PrintWriter out) {
        arguments.allow(Set.of("tokens", "greedy", "chunk", "kernels", "threads"));
        int[] prompt = arguments.numbers("tokens");
        int steps = arguments.number("greedy", 0, 0);
        int chunk = arguments.number("chunk", prompt.length, 1);
        try (Decoder decoder = DecoderLoader.load(folder, options(arguments));
                KvSequence sequence = decoder.cache().newSequence()) {
            Logits logits = new Logits();
            for (int from = 0; from < prompt.length; from += chunk) {
                int to = Math.min(prompt.length, from + chunk);
                int[] tokens = Arrays.copyOfRange(prompt, from, to);
                forward(decoder, new Batch.Slice(sequence, tokens, to == prompt.length ? 1 : 0), logits);
            }
            int[] greedy = new int[steps];
            StringBuilder rows = new StringBuilder();
            appendRow(logits, rows);
            for (int i = 0; i < steps; i++) {
                greedy[i] = logits.argmax(0);
                forward(decoder, new Batch.Slice(sequence, new int[] {greedy[i]}, 1), logits);
                appendRow(logits, rows.append(','));
            }
            out.println("{\"prompt\":" + list(prompt) + ",\"greedy\":" + list(greedy) + ",\"logits\":[" + rows + "]}");
        }
    }

    private static LoadOptions options(Arguments arguments) {
        LoadOptions options = LoadOptions.defaults();
        if (arguments.text("kernels").isPresent()) {
            String name = arguments.required("kernels").toUpperCase(Locale.ROOT);
            options = options.withKernels(LoadOptions.Kernels.valueOf(name));
        }
        return options.withThreads(arguments.number("threads", options.threads(), 1));
    }

    private static void forward(Decoder decoder, Batch.Slice slice, Logits logits) {
        decoder.forward(new Batch(java.util.List.of(slice)), logits);
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
