package skulk.distribution;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;

/** The packaged program as a process: started in a home of its own on a free port, ended by its process id. */
public final class SkulkProcess implements AutoCloseable {
    private static final Pattern READY = Pattern.compile("is ready at (http\\S+)");
    private static final Duration START =
            Duration.ofSeconds(60); // a machine under load; the start itself takes about one

    private final Process process;
    private final String address;
    private final List<String> log = new CopyOnWriteArrayList<>();
    private final CompletableFuture<String> ready = new CompletableFuture<>();
    private volatile String url = ""; // another one after a restart in place
    private final HttpClient client = HttpClient.newHttpClient();
    private final Thread reader;

    private SkulkProcess(Process process, String address) {
        this.process = process;
        this.address = address;
        reader = Thread.ofVirtual().start(this::read);
    }

    /** The folder that the build has put together. */
    public static Path root() {
        return Path.of(System.getProperty("skulk.root", "target/skulk"));
    }

    /** Starts a node on a free port and waits until it is ready. */
    public static SkulkProcess serve(Path home, String... arguments) throws Exception {
        return serve(Machine.THIS, home, arguments);
    }

    /**
     * Where a process runs.
     *
     * @param prefix what the command line begins with
     * @param address of the machine
     */
    record Machine(List<String> prefix, Map<String, String> environment, String address) {
        static final Machine THIS = new Machine(List.of(), Map.of(), "127.0.0.1");
    }

    /** Starts a node on a machine and waits until it is ready. */
    static SkulkProcess serve(Machine machine, Path home, String... arguments) throws Exception {
        List<String> all = new ArrayList<>(List.of("serve", "--api-port", "0", "--home", home.toString()));
        all.addAll(List.of(arguments));
        SkulkProcess started = start(machine, Files.createDirectories(home), machine.environment(), all);
        try {
            started.ready.get(START.toSeconds(), TimeUnit.SECONDS);
            return started;
        } catch (TimeoutException | java.util.concurrent.ExecutionException e) {
            started.close();
            throw new IOException("the node did not become ready:\n" + started.log(), e);
        }
    }

    /** Starts the program with any arguments and waits for nothing. */
    public static SkulkProcess start(Path directory, Map<String, String> environment, List<String> arguments)
            throws IOException {
        return start(Machine.THIS, directory, environment, arguments);
    }

    static SkulkProcess start(Machine machine, Path directory, Map<String, String> environment, List<String> arguments)
            throws IOException {
        List<String> command = new ArrayList<>(machine.prefix());
        command.add(root().toAbsolutePath().resolve("bin/skulk").toString());
        command.addAll(arguments);
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true);
        builder.environment().keySet().removeIf(name -> name.startsWith("SKULK_") && !name.equals("SKULK_JAVA_HOME"));
        builder.environment().put("SKULK_MEASURE", "false"); // seconds of every core, for forecasts that few tests read
        builder.environment().putAll(environment);
        return new SkulkProcess(builder.start(), machine.address());
    }

    private void read() {
        try (BufferedReader reader = process.inputReader()) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                log.add(line);
                Matcher matcher = READY.matcher(line);
                if (matcher.find()) {
                    url = matcher.group(1);
                    ready.complete(url);
                }
            }
        } catch (IOException e) {
            log.add("reading ended: " + e);
        }
        ready.completeExceptionally(new IOException("the program ended"));
    }

    /** The address of the HTTP API. */
    public String url() {
        ready.join();
        return url.replace("127.0.0.1", address);
    }

    /** Everything printed so far. */
    public String log() {
        return String.join("\n", log);
    }

    public long pid() {
        return process.pid();
    }

    /** Waits for the end and answers the exit code. */
    public int exitCode(Duration patience) throws InterruptedException, IOException {
        if (!process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
            throw new IOException("still running:\n" + log());
        }
        reader.join(Duration.ofSeconds(5)); // the last lines' way through the pipe
        return process.exitValue();
    }

    public HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return client.send(request(path).GET().build(), HttpResponse.BodyHandlers.ofString());
    }

    public HttpResponse<String> post(String path, String body) throws IOException, InterruptedException {
        return client.send(
                request(path).POST(HttpRequest.BodyPublishers.ofString(body)).build(),
                HttpResponse.BodyHandlers.ofString());
    }

    public HttpResponse<String> put(String path, String body) throws IOException, InterruptedException {
        return client.send(
                request(path).PUT(HttpRequest.BodyPublishers.ofString(body)).build(),
                HttpResponse.BodyHandlers.ofString());
    }

    public HttpResponse<String> delete(String path) throws IOException, InterruptedException {
        return client.send(request(path).DELETE().build(), HttpResponse.BodyHandlers.ofString());
    }

    /** Ends the process at once, as kill -9 does; its children notice by themselves. */
    public void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    /** The body of a GET as a JSON object. */
    public JsonObject json(String path) throws IOException, InterruptedException {
        return (JsonObject) Json.parse(get(path).body());
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(url() + path))
                .timeout(Duration.ofSeconds(60))
                .header("Content-Type", "application/json");
    }

    /** Asks the process to end, and makes it after ten seconds; its children with it. */
    @Override
    public void close() {
        List<ProcessHandle> children = process.descendants().toList();
        client.shutdownNow();
        process.destroy();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        children.forEach(ProcessHandle::destroyForcibly);
    }
}
