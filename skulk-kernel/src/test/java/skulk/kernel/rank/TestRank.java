package skulk.kernel.rank;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import skulk.api.RankContext;
import skulk.api.Runner;
import skulk.api.RunnerFactory;
import skulk.api.cluster.NodeInfo;
import skulk.api.generation.EmbeddingRequest;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationRequest;
import skulk.api.json.JsonObject;
import skulk.api.model.ModelCard;
import skulk.api.problem.Problem;

/** A rank process with an engine that counts: its real frames and life, without a model. The setting {@code test} says how it misbehaves. */
public final class TestRank {
    private TestRank() {}

    public static void main(String[] arguments) throws IOException {
        RankMain.run(arguments, begin -> new Engines(List.of(new CountingFactory()), List.of(), () -> {}));
    }

    private static final class CountingFactory implements RunnerFactory {
        @Override
        public String name() {
            return "counting";
        }

        @Override
        public Optional<String> supports(ModelCard card, NodeInfo node) {
            return Optional.empty();
        }

        @Override
        public Runner load(RankContext rank) throws Exception {
            String mode = rank.settings().getOrDefault("test", "");
            rank.watcher().loading(1, 2);
            switch (mode) {
                case "fail" -> throw new IOException("tensor model.embed is missing in model.safetensors");
                case "crash" -> Runtime.getRuntime().halt(3);
                default -> rank.watcher().loading(2, 2);
            }
            rank.watcher().warmingUp();
            if (mode.equals("wedge")) {
                while (true) {
                    Thread.onSpinWait();
                }
            }
            return new CountingRunner(rank.watcher());
        }
    }

    /** Emits one word per token, a millisecond apart. */
    private static final class CountingRunner implements Runner {
        private final RankContext.Watcher watcher;
        private final AtomicLong steps = new AtomicLong();

        CountingRunner(RankContext.Watcher watcher) {
            this.watcher = watcher;
        }

        @Override
        public Generation submit(GenerationRequest request, Consumer<GenerationEvent> events) {
            AtomicBoolean cancelled = new AtomicBoolean();
            Thread.ofVirtual().start(() -> count(request, events, cancelled));
            return () -> cancelled.set(true);
        }

        private void count(GenerationRequest request, Consumer<GenerationEvent> events, AtomicBoolean cancelled) {
            watcher.running(true);
            events.accept(new GenerationEvent.Accepted(3, 0));
            int limit = request.maxTokens().orElse(10);
            for (int i = request.committed().size(); i < limit && !cancelled.get(); i++) {
                steps.incrementAndGet();
                events.accept(new GenerationEvent.Text(GenerationEvent.Channel.CONTENT, "w" + i + " ", List.of()));
                events.accept(new GenerationEvent.Committed(List.of(i)));
                try {
                    Thread.sleep(1);
                } catch (InterruptedException e) {
                    return;
                }
            }
            events.accept(
                    cancelled.get()
                            ? new GenerationEvent.Failed(Problem.of(Problem.Kind.INTERNAL, "cancelled", "cancelled"))
                            : new GenerationEvent.Finished(
                                    GenerationEvent.FinishReason.LENGTH,
                                    Optional.empty(),
                                    new GenerationEvent.Usage(3, limit, 0, 0, 0, 0),
                                    new GenerationEvent.Stats(100, 50, 1 << 20, 1, true)));
            watcher.running(false);
        }

        @Override
        public EmbeddingRequest.Embeddings embed(EmbeddingRequest request) {
            dieOnce(request.inputs().getFirst());
            return new EmbeddingRequest.Embeddings(List.of(new float[] {0.6f, -0.8f}), 2);
        }

        /** A text that names a file has the process die unless the file is there. */
        private static void dieOnce(String text) {
            try {
                if (text.startsWith("die once: ")) {
                    Files.createFile(Path.of(text.substring("die once: ".length())));
                    Runtime.getRuntime().halt(3);
                }
            } catch (FileAlreadyExistsException e) {
                return;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public int countTokens(GenerationRequest request) {
            return 3;
        }

        @Override
        public JsonObject report() {
            return JsonObject.of("steps", steps.get());
        }

        @Override
        public void close() {}
    }
}
