package skulk.kernel;

import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Optional;
import skulk.api.json.Json;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.model.ModelId;

/** Has the cluster fetch a model and shows how that goes. Used by one thread. */
final class ModelPull {
    private static final long POLL_MILLIS = 500;
    /** Until then a state that has not changed is from before. */
    private static final Duration STALE = Duration.ofSeconds(5);

    private final NodeClient client;
    private final PrintStream out;
    private final boolean terminal;

    ModelPull(NodeClient client, PrintStream out, boolean terminal) {
        this.client = client;
        this.out = out;
        this.terminal = terminal;
    }

    /** @param node friendly name or id of the node that is to have it; empty = the store where there is one, else the asked node */
    int run(ModelId model, Optional<String> node) throws IOException, InterruptedException {
        NodeClient.Reply store = client.ask("GET", "/store/health", Optional.empty());
        String where;
        try (ProgressLine line = new ProgressLine(model.value(), out, terminal)) {
            where = node.isEmpty() && store.ok() ? toStore(model, line) : toNode(model, node, line);
        }
        out.println(model + " is complete " + where);
        return 0;
    }

    private String toStore(ModelId model, ProgressLine line) throws IOException, InterruptedException {
        String path = "/store/models/" + model + "/download";
        JsonObject told = client.post(path, JsonObject.EMPTY);
        while (true) {
            String status = told.string("status").orElse("");
            switch (status) {
                case "complete" -> {
                    return "in the store";
                }
                case "failed" ->
                    throw new IOException(told.string("error").orElse("the store could not fetch " + model));
                default -> line.show(fraction(told));
            }
            Thread.sleep(POLL_MILLIS); // a client has nothing to wait on but the status
            told = client.get(path + "/status");
        }
    }

    private static double fraction(JsonObject status) {
        return status.find("progress").orElse(Json.NULL) instanceof JsonNumber n ? n.toDouble() : 0;
    }

    private String toNode(ModelId model, Optional<String> wanted, ProgressLine line)
            throws IOException, InterruptedException {
        String node = wanted.isPresent() ? find(wanted.get()) : self();
        Optional<JsonObject> before = told(client.get("/state"), node, model);
        client.post(
                "/download/start",
                JsonObject.builder()
                        .put("modelId", model.value())
                        .put("targetNodeId", node)
                        .build());
        long begin = System.nanoTime();
        boolean going = false;
        while (true) {
            JsonObject state = client.get("/state");
            Optional<JsonObject> now = told(state, node, model);
            // what was told before this attempt says nothing about it
            boolean fresh = !now.equals(before) || System.nanoTime() - begin > STALE.toNanos();
            if (now.isPresent() && fresh) {
                if (now.get().has("DownloadCompleted")) {
                    return "on " + ModelsCommand.name(state, node);
                }
                Optional<JsonObject> failed = now.get().object("DownloadFailed");
                if (failed.isPresent()) {
                    throw new IOException(failed.get().string("errorMessage").orElse("the download failed"));
                }
                Optional<JsonObject> progress =
                        now.get().object("DownloadOngoing").flatMap(o -> o.object("downloadProgress"));
                if (going && progress.isEmpty()) {
                    throw new IOException("the download was cancelled; what has arrived is kept for the next attempt");
                }
                going = progress.isPresent();
                progress.ifPresent(p -> line.show(
                        ModelsCommand.bytes(p.object("downloaded")).orElse(0L),
                        ModelsCommand.bytes(p.object("total")).orElse(0L)));
            }
            Thread.sleep(POLL_MILLIS); // a client has nothing to wait on but the state
        }
    }

    private static Optional<JsonObject> told(JsonObject state, String node, ModelId model) {
        return ModelsCommand.objects(state.object("downloads").flatMap(all -> all.array(node))).stream()
                .filter(tagged -> tagged.members().values().stream()
                        .anyMatch(d -> d instanceof JsonObject o
                                && ModelsCommand.model(o).equals(Optional.of(model.value()))))
                .findFirst();
    }

    private String self() throws IOException, InterruptedException {
        NodeClient.Reply reply = client.ask("GET", "/node_id", Optional.empty());
        if (!reply.ok() || !(reply.body() instanceof JsonString(String id))) {
            throw new IOException("/node_id: " + reply.message());
        }
        return id;
    }

    private String find(String wanted) throws IOException, InterruptedException {
        JsonObject state = client.get("/state");
        JsonObject nodes = state.object("nodeIdentities").orElse(JsonObject.EMPTY);
        return nodes.members().keySet().stream()
                .filter(id -> id.equals(wanted) || ModelsCommand.name(state, id).equalsIgnoreCase(wanted))
                .findFirst()
                .orElseThrow(() -> new IOException("no node is called '%s'; there are %s"
                        .formatted(
                                wanted,
                                nodes.members().keySet().stream()
                                        .map(id -> ModelsCommand.name(state, id))
                                        .toList())));
    }
}
