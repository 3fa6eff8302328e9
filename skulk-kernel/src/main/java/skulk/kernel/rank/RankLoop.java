package skulk.kernel.rank;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import skulk.api.RankContext;
import skulk.api.RankContext.Partial;
import skulk.api.RankLinks;
import skulk.api.Runner;
import skulk.api.RunnerFactory;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.RunnerStatus;
import skulk.api.generation.EmbeddingRequest;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationRequest;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;
import skulk.kernel.telemetry.ProcessMemory;

/** The life of a rank process: frames in, frames out, one model. */
final class RankLoop {
    private static final System.Logger LOG = System.getLogger(RankLoop.class.getName());
    private static final long PULSE_MILLIS = 500;

    private final FrameLink<FromRank, ToRank> link;
    private final Engines.Source source;
    private final Generations generations = new Generations();
    private final ScheduledExecutorService pulse = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = Thread.ofPlatform().name("pulse").daemon().unstarted(task);
        thread.setPriority(Thread.MAX_PRIORITY); // busy compute threads must not make the rank look dead
        return thread;
    });
    private ToRank.Begin begin;
    private Engines engines;
    private Optional<TcpLinks> links = Optional.empty();
    private boolean connecting;
    private volatile Thread loader;
    private volatile Runner runner;

    RankLoop(SocketChannel channel, Engines.Source source) {
        this.link = new FrameLink<>(channel, ToRank.class, RankLoop::merge, "node");
        this.source = source;
    }

    /** Events of one generation that wait together leave together. */
    static List<FromRank> merge(List<FromRank> batch) {
        List<FromRank> merged = new ArrayList<>();
        for (FromRank frame : batch) {
            if (frame instanceof FromRank.Events next
                    && !merged.isEmpty()
                    && merged.getLast() instanceof FromRank.Events last
                    && last.command().equals(next.command())) {
                List<GenerationEvent> events = new ArrayList<>(last.events());
                events.addAll(next.events());
                merged.set(merged.size() - 1, new FromRank.Events(last.command(), events));
            } else {
                merged.add(frame);
            }
        }
        return merged;
    }

    /** Runs until the node closes the connection or asks for the end. */
    void run() {
        link.send(new FromRank.Hello(ProcessHandle.current().pid()));
        pulse.scheduleAtFixedRate(this::pulse, PULSE_MILLIS, PULSE_MILLIS, TimeUnit.MILLISECONDS);
        try {
            link.read(this::handle);
        } catch (IOException e) {
            LOG.log(Level.WARNING, "connection to the node lost: {0}", e.getMessage());
        }
        end(0); // without its node a rank is of no use
    }

    private void handle(ToRank frame) {
        switch (frame) {
            case ToRank.Begin b -> begin(b);
            case ToRank.Connect(List<ToRank.Peer> peers) -> {
                links.ifPresent(l -> l.peers(peers));
                if (!connecting) {
                    connecting = true;
                    Thread.ofPlatform().name("connect").start(() -> connect(peers));
                }
            }
            case ToRank.Load l -> loader = Thread.ofPlatform().name("load").start(this::load);
            case ToRank.Submit(GenerationRequest request) -> submit(request);
            case ToRank.Cancel(CommandId command) -> generations.cancel(command);
            case ToRank.Embed(long call, EmbeddingRequest request) -> answer(call, () -> embed(request));
            case ToRank.Count(long call, GenerationRequest request) ->
                answer(call, () -> JsonNumber.of(loaded().countTokens(request)));
            case ToRank.Report(long call) ->
                answer(
                        call,
                        () -> loaded().report()
                                .with("process", ProcessMemory.now().toJson()));
            case ToRank.Shutdown s -> shutdown();
        }
    }

    private void begin(ToRank.Begin b) {
        begin = b;
        try {
            engines = source.start(b);
            if (b.shard().worldSize() > 1) {
                TcpLinks opened =
                        TcpLinks.listen(b.shard().deviceRank(), b.shard().worldSize());
                links = Optional.of(opened);
                link.send(new FromRank.Listening(opened.port(), opened.key()));
            }
            status(new RunnerStatus.RunnerIdle());
            phase("idle", "");
        } catch (Exception e) { // whatever a plugin throws is the reason that the node shows
            failed("Cannot start the rank", e);
        }
    }

    private void connect(List<ToRank.Peer> peers) {
        status(new RunnerStatus.RunnerConnecting());
        phase("connect_group", peers.size() + " peers");
        try {
            links.orElseThrow().connect(peers, Duration.ofMillis(setting("connect_deadline_millis", 120_000)));
            status(new RunnerStatus.RunnerConnected());
        } catch (IOException e) {
            broken(e.getMessage());
        }
    }

    private void load() {
        phase("load_model", begin.files());
        int layers = begin.shard().endLayer() - begin.shard().startLayer();
        status(new RunnerStatus.RunnerLoading(0, layers));
        Watching watcher = new Watching();
        try {
            RunnerFactory factory = Engines.runnerFor(begin.shard(), engines.runners());
            // libraries look for their native parts through it
            Thread.currentThread().setContextClassLoader(factory.getClass().getClassLoader());
            Map<String, Path> companions = new HashMap<>();
            Map<String, Partial> partial = new HashMap<>();
            begin.partial()
                    .forEach(p -> partial.put(p.present().path(), new Partial(Path.of(p.location()), p.present())));
            begin.companions().forEach((id, folder) -> companions.put(id, Path.of(folder)));
            runner = factory.load(new RankContext(
                    begin.instance(),
                    begin.shard(),
                    Path.of(begin.files()),
                    partial,
                    companions,
                    links.<RankLinks>map(l -> l).orElseGet(NoLinks::new),
                    engines.drafters(),
                    begin.settings(),
                    watcher));
            watcher.warmedUp();
            status(new RunnerStatus.RunnerReady());
            phase("idle", "");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            watcher.warmedUp();
            if (links.isPresent() && begin.shard().worldSize() > 1 && watcher.warming) {
                broken(e.getMessage()); // a peer went away: worth another try
            } else {
                failed("Loading failed", e);
            }
        } catch (Exception | Error e) { // also a library's AssertionError must be a reason, not a silence
            watcher.warmedUp();
            failed("Loading failed", e);
        }
    }

    private void submit(GenerationRequest request) {
        CommandId command = request.commandId();
        Runner ready = runner;
        if (ready == null) {
            Problem problem = Problem.of(Problem.Kind.NOT_READY, "The model is not loaded yet");
            link.send(new FromRank.Events(command, List.of(new GenerationEvent.Failed(problem))));
            return;
        }
        Thread.currentThread().setContextClassLoader(ready.getClass().getClassLoader());
        try {
            generations.submit(
                    command,
                    event -> link.send(new FromRank.Events(command, List.of(event))),
                    events -> ready.submit(request, events));
        } catch (RuntimeException e) {
            link.send(new FromRank.Events(command, List.of(new GenerationEvent.Failed(problem(e)))));
        }
    }

    private JsonObject embed(EmbeddingRequest request) {
        EmbeddingRequest.Embeddings embeddings = loaded().embed(request);
        List<Json> vectors = new ArrayList<>();
        for (float[] vector : embeddings.vectors()) {
            ByteBuffer bytes = ByteBuffer.allocate(4 * vector.length);
            bytes.asFloatBuffer().put(vector);
            vectors.add(new JsonString(java.util.Base64.getEncoder().encodeToString(bytes.array())));
        }
        return JsonObject.builder()
                .put("vectors", new JsonArray(vectors))
                .put("promptTokens", embeddings.promptTokens())
                .build();
    }

    private void answer(long call, Supplier<Json> work) {
        Thread.ofVirtual().start(() -> {
            Runner ready = runner;
            if (ready != null) {
                Thread.currentThread().setContextClassLoader(ready.getClass().getClassLoader());
            }
            try {
                link.send(new FromRank.Answer(call, work.get(), Optional.empty()));
            } catch (RuntimeException e) {
                link.send(new FromRank.Answer(call, Json.NULL, Optional.of(problem(e))));
            }
        });
    }

    private Runner loaded() {
        Runner ready = runner;
        if (ready == null) {
            throw new SkulkException(Problem.Kind.NOT_READY, "The model is not loaded yet");
        }
        return ready;
    }

    private static Problem problem(RuntimeException e) {
        return e instanceof SkulkException s
                ? s.problem()
                : Problem.of(Problem.Kind.INTERNAL, e.getMessage() == null ? e.toString() : e.getMessage());
    }

    private void pulse() {
        long steps = 0;
        Runner ready = runner;
        try {
            if (ready != null) {
                steps = ready.report().integer("steps").orElse(0L);
            }
        } catch (RuntimeException e) {
            steps = 0; // an engine that cannot tell is no less alive
        }
        link.send(new FromRank.Pulse(steps, links.map(TcpLinks::waiting).orElse("")));
    }

    private void status(RunnerStatus status) {
        link.send(new FromRank.Status(status));
    }

    private void phase(String phase, String detail) {
        link.send(new FromRank.Phase(Instant.now(), phase, detail));
    }

    /** A failure that another try would meet again: told, and left to the node to end. */
    private void failed(String doing, Throwable e) {
        LOG.log(Level.ERROR, doing, e);
        String message = e.getMessage() == null ? e.toString() : e.getMessage();
        status(new RunnerStatus.RunnerFailed(doing + ": " + message));
    }

    /** A failure after which only a new process helps. */
    private void broken(String reason) {
        LOG.log(Level.ERROR, "broken: {0}", reason);
        link.send(new FromRank.Broken(reason));
        link.finish(1000);
        Runtime.getRuntime().halt(Exit.BROKEN);
    }

    private void shutdown() {
        Thread.ofPlatform().name("shutdown").start(() -> {
            status(new RunnerStatus.RunnerShuttingDown());
            phase("shutdown_cleanup", "");
            Thread loading = loader;
            if (loading != null) {
                loading.interrupt();
            }
            Runner loaded = runner;
            if (loaded != null) {
                loaded.close();
            }
            end(0);
        });
    }

    private void end(int code) {
        link.finish(500);
        Runtime.getRuntime().halt(code);
    }

    private long setting(String name, long fallback) {
        String value = begin.settings().get(name);
        return value == null ? fallback : Long.parseLong(value);
    }

    /** With one rank there is nobody to talk to. */
    private static final class NoLinks implements RankLinks {
        @Override
        public void send(int rank, MemorySegment data) throws IOException {
            throw new IOException("this instance has one rank; there is no rank " + rank);
        }

        @Override
        public void receive(int rank, MemorySegment into) throws IOException {
            throw new IOException("this instance has one rank; there is no rank " + rank);
        }
    }

    private final class Watching implements RankContext.Watcher {
        private final WarmupWatchdog watchdog = new WarmupWatchdog();
        private volatile boolean warming;

        @Override
        public void loading(int layersLoaded, int totalLayers) {
            status(new RunnerStatus.RunnerLoading(layersLoaded, totalLayers));
        }

        @Override
        public void warmingUp() {
            warming = true;
            status(new RunnerStatus.RunnerLoaded());
            status(new RunnerStatus.RunnerWarmingUp());
            watcherPhase();
            watchdog.start(Duration.ofMillis(setting("warmup_deadline_millis", 300_000)), loader, begin);
        }

        private void watcherPhase() {
            RankLoop.this.phase("warmup", "");
        }

        void warmedUp() {
            watchdog.stop();
        }

        @Override
        public void running(boolean busy) {
            if (runner != null) { // the warm-up's own steps do not make the rank ready
                status(busy ? new RunnerStatus.RunnerRunning() : new RunnerStatus.RunnerReady());
            }
        }

        @Override
        public void phase(String phase, String detail) {
            RankLoop.this.phase(phase, detail);
        }

        @Override
        public void broken(String reason) {
            RankLoop.this.broken(reason);
        }
    }
}
