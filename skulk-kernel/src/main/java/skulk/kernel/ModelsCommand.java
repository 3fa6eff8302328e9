package skulk.kernel;

import java.io.IOException;
import java.io.PrintStream;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.model.ModelId;
import skulk.kernel.CommandLine.Option;
import skulk.kernel.CommandLine.UsageException;
import skulk.kernel.config.Keys;

/** {@code skulk models list|pull|rm|show}: models on the disks of a running cluster, asked through one of its nodes. */
final class ModelsCommand {
    private static final Option URL =
            Option.of("--url", "URL", "a node of the cluster (http://127.0.0.1:" + Keys.API_PORT.fallback() + ")");
    private static final Option KEY = Option.of("--key", "KEY", "API key, where the node wants one (SKULK_API_KEY)");
    private static final Option NODE = Option.of(
            "--node", "NAME", "pull: the node that stages it (the store where there is one, else the asked node)");
    private static final Option STORE = Option.toggle("--store", "rm: deletes the store's copy, too");
    private static final Option HELP = Option.toggle("--help", "prints this").or("-h");
    private static final List<Option> OPTIONS = List.of(URL, KEY, NODE, STORE, HELP);

    private final Map<String, String> environment;
    private final PrintStream out;
    private final boolean terminal;

    ModelsCommand(Map<String, String> environment) {
        this(environment, Terminal.out(), BundleCommand.environmentIsTerminal());
    }

    ModelsCommand(Map<String, String> environment, PrintStream out, boolean terminal) {
        this.environment = environment;
        this.out = out;
        this.terminal = terminal;
    }

    int run(List<String> arguments) throws IOException, InterruptedException {
        CommandLine line = CommandLine.parse(arguments, OPTIONS);
        if (line.has(HELP.name())) {
            out.print("""
                    usage: skulk models list                what lies on the cluster's disks
                           skulk models show ORG/NAME       what is known of a model, and where it is
                           skulk models pull ORG/NAME       fetches it now instead of at its first placement
                           skulk models rm ORG/NAME         removes its staged copies from all nodes, but for those in use

                    """ + CommandLine.help(OPTIONS));
            return 0;
        }
        List<String> operands = line.operands();
        String verb = operands.isEmpty() ? "list" : operands.getFirst();
        int wanted = verb.equals("list") ? 0 : 1;
        if (!List.of("list", "show", "pull", "rm").contains(verb)) {
            throw new UsageException("models has four commands: list, show, pull and rm");
        }
        if (Math.max(0, operands.size() - 1) != wanted) {
            throw new UsageException(
                    wanted == 0
                            ? "models list takes no " + operands.getLast()
                            : "models " + verb + " takes one ORG/NAME");
        }
        NodeClient client = client(line);
        return switch (verb) {
            case "list" -> list(client);
            case "show" -> show(client, BundleCommand.model(operands.getLast()));
            case "rm" -> remove(client, BundleCommand.model(operands.getLast()), line.has(STORE.name()));
            default ->
                new ModelPull(client, out, terminal)
                        .run(BundleCommand.model(operands.getLast()), line.value(NODE.name()));
        };
    }

    private NodeClient client(CommandLine line) {
        String port = environment.getOrDefault(
                "SKULK_API_PORT", Keys.API_PORT.fallback().toString());
        String url = line.value(URL.name()).orElse("http://127.0.0.1:" + port);
        if (!url.matches("https?://[^/\\s]+/?")) {
            throw new UsageException("--url must be like http://host:port, not " + url);
        }
        return new NodeClient(
                url, line.value(KEY.name()).or(() -> Optional.ofNullable(environment.get("SKULK_API_KEY"))));
    }

    /** Where a model lies. @param bytes 0 where they are not known */
    private record Place(String where, long bytes) {}

    private static Map<String, List<Place>> places(NodeClient client) throws IOException, InterruptedException {
        JsonObject state = client.get("/state");
        Map<String, List<Place>> places = new TreeMap<>();
        for (JsonObject node : objects(client.get("/store/storage/cluster").array("nodes"))) {
            for (JsonObject copy : objects(node.array("stagedModels"))) {
                String used = copy.bool("inUse").orElse(false) ? ", in use" : "";
                add(
                        places,
                        copy.string("modelId"),
                        name(state, node.string("nodeId").orElse("")) + " (staged" + used + ")",
                        copy.integer("sizeBytes"));
            }
        }
        JsonObject downloads = state.object("downloads").orElse(JsonObject.EMPTY);
        for (String node : downloads.members().keySet()) {
            for (JsonObject download : objects(downloads.array(node))) {
                Optional<JsonObject> completed = download.object("DownloadCompleted");
                if (completed.isPresent() && completed.get().bool("readOnly").orElse(false)) {
                    add(
                            places,
                            model(completed.get()),
                            name(state, node) + " (in place)",
                            bytes(completed.get().object("total")));
                }
            }
        }
        NodeClient.Reply registry = client.ask("GET", "/store/registry", Optional.empty());
        for (JsonObject entry : objects(registry.ok() ? registry.object().array("entries") : Optional.empty())) {
            add(places, entry.string("model_id"), "store", entry.integer("total_bytes"));
        }
        return places;
    }

    private static void add(
            Map<String, List<Place>> places, Optional<String> model, String where, Optional<Long> bytes) {
        model.ifPresent(id ->
                places.computeIfAbsent(id, _ -> new java.util.ArrayList<>()).add(new Place(where, bytes.orElse(0L))));
    }

    /** The model of a download's event. */
    static Optional<String> model(JsonObject download) {
        return download.object("shardMetadata")
                .flatMap(tagged -> tagged.members().values().stream().findFirst())
                .flatMap(shard -> shard instanceof JsonObject fields ? fields.object("modelCard") : Optional.empty())
                .flatMap(card -> card.string("modelId"));
    }

    static Optional<Long> bytes(Optional<JsonObject> memory) {
        return memory.flatMap(m -> m.integer("inBytes"));
    }

    static List<JsonObject> objects(Optional<JsonArray> array) {
        return array.stream()
                .flatMap(a -> a.items().stream())
                .filter(JsonObject.class::isInstance)
                .map(JsonObject.class::cast)
                .toList();
    }

    /** A node's friendly name. */
    static String name(JsonObject state, String node) {
        return state.object("nodeIdentities")
                .flatMap(all -> all.object(node))
                .flatMap(identity -> identity.string("friendlyName"))
                .filter(name -> !name.isBlank())
                .orElse(node);
    }

    private int list(NodeClient client) throws IOException, InterruptedException {
        Map<String, List<Place>> places = places(client);
        if (places.isEmpty()) {
            out.println("no models on the cluster's disks; 'skulk models pull ORG/NAME' fetches one");
            return 0;
        }
        int width = places.keySet().stream().mapToInt(String::length).max().orElse(0);
        places.forEach((model, where) -> out.printf(
                "%-" + width + "s  %10s  %s%n",
                model,
                ProgressLine.size(where.stream().mapToLong(Place::bytes).max().orElse(0)),
                String.join(", ", where.stream().map(Place::where).toList())));
        return 0;
    }

    private int show(NodeClient client, ModelId model) throws IOException, InterruptedException {
        NodeClient.Reply card = client.ask("GET", "/v1/models/" + model, Optional.empty());
        List<Place> where = places(client).getOrDefault(model.value(), List.of());
        if (!card.ok() && where.isEmpty()) {
            throw new IOException(card.message() + "; 'skulk models pull " + model + "' looks for it");
        }
        out.println(model);
        if (card.ok()) {
            JsonObject c = card.object();
            field("size", ProgressLine.size(c.integer("storage_size_megabytes").orElse(0L) * 1024 * 1024));
            field("family", text(c, "family"));
            field("quantization", text(c, "quantization"));
            field(
                    "context",
                    c.integer("context_length")
                            .filter(n -> n > 0)
                            .map(Object::toString)
                            .orElse(""));
            field("capabilities", String.join(", ", texts(c.array("capabilities"))));
            field("added by you", Boolean.toString(c.bool("is_custom").orElse(false)));
        }
        field(
                "on disk",
                where.isEmpty()
                        ? "nowhere in the cluster"
                        : String.join(", ", where.stream().map(Place::where).toList()));
        return 0;
    }

    private static String text(JsonObject object, String name) {
        return object.string(name).orElse("");
    }

    private static List<String> texts(Optional<JsonArray> array) {
        return array.stream()
                .flatMap(a -> a.items().stream())
                .map(item -> item instanceof JsonString(String text) ? text : item.toString())
                .toList();
    }

    private void field(String name, String value) {
        if (!value.isEmpty()) {
            out.printf("  %-14s%s%n", name, value);
        }
    }

    private int remove(NodeClient client, ModelId model, boolean fromStore) throws IOException, InterruptedException {
        boolean staged = places(client).getOrDefault(model.value(), List.of()).stream()
                .anyMatch(p -> p.where().contains("(staged"));
        client.post("/store/purge-staging", JsonObject.of("modelId", model.value()));
        List<String> left = places(client).getOrDefault(model.value(), List.of()).stream()
                .map(Place::where)
                .filter(where -> where.contains("(staged"))
                .toList();
        out.println(
                !left.isEmpty()
                        ? "kept, because it is in use: " + String.join(", ", left)
                        : staged ? "removed the staged copies of " + model : "no staged copies of " + model);
        if (fromStore) {
            String path = "/store/models/"
                    + URLEncoder.encode(model.value(), StandardCharsets.UTF_8).replace("%2F", "/");
            NodeClient.Reply deleted = client.ask("DELETE", path, Optional.<Json>empty());
            if (!deleted.ok()) {
                throw new IOException("the store's copy stays: " + deleted.message());
            }
            out.println("deleted the store's copy of " + model);
        }
        return left.isEmpty() ? 0 : 1;
    }
}
