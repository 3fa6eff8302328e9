package skulk.storage.hub;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import skulk.api.StorageBackend;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;
import skulk.api.model.ByteRange;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/**
 * Models of a hub. Large files have a SHA-256 in the listing and are read in ranges; small ones, which Git keeps, are read whole and checked against their
 * Git object id before the first byte is handed on.
 */
final class HubBackend implements StorageBackend {
    /** Git keeps no larger files; the hub forces them into large-file storage from 10 MB. */
    private static final long SMALL = 32 << 20;

    private static final int MAX_PAGES = 100;
    private static final Pattern NEXT = Pattern.compile("<([^>]+)>\\s*;\\s*rel=\"?next\"?");

    private final HubSettings settings;
    private final HubClient client;
    private final Map<ModelId, HubListing> listings = new ConcurrentHashMap<>();

    HubBackend(HubSettings settings, HubClient client) {
        this.settings = settings;
        this.client = client;
    }

    @Override
    public String name() {
        return "hub";
    }

    @Override
    public Optional<ModelManifest> find(ModelId model) throws IOException {
        if (settings.offline()) {
            throw new IOException("not asked, the node is offline");
        }
        Optional<HubListing> listing = list(model);
        listing.ifPresent(l -> listings.put(model, l));
        return listing.map(HubListing::manifest);
    }

    private Optional<HubListing> list(ModelId model) throws IOException {
        String revision = settings.revision(model);
        String info = "/api/models/" + model + (revision.equals("main") ? "" : "/revision/" + encode(revision));
        Optional<Json> about = json(client.uri(info), model);
        if (about.isEmpty()) {
            return Optional.empty();
        }
        if (!(about.get() instanceof JsonObject object)) {
            throw new IOException("the hub's answer about %s is not an object".formatted(model));
        }
        String commit = object.string("sha").orElse(revision);
        List<JsonObject> entries = tree(model, commit);
        Set<String> selected = new HashSet<>(Selection.of(
                entries.stream().map(e -> e.string("path").orElse("")).toList()));
        List<ModelFile> files = new ArrayList<>();
        Map<String, String> gitIds = new HashMap<>();
        for (JsonObject entry : entries) {
            String path = entry.string("path").orElse("");
            if (selected.contains(path)) {
                files.add(file(entry, path));
                if (entry.object("lfs").isEmpty()) {
                    entry.string("oid").filter(o -> o.matches("[0-9a-f]{40}")).ifPresent(id -> gitIds.put(path, id));
                }
            }
        }
        if (files.stream().noneMatch(f -> f.path().endsWith(".safetensors"))) {
            throw new IOException("%s has no *.safetensors weights on the hub".formatted(model));
        }
        return Optional.of(new HubListing(new ModelManifest(model, commit, name(), files), commit, gitIds));
    }

    private static ModelFile file(JsonObject entry, String path) {
        Optional<JsonObject> lfs = entry.object("lfs");
        long size = lfs.flatMap(l -> l.integer("size"))
                .or(() -> entry.integer("size"))
                .orElse(0L);
        Optional<String> sha256 = lfs.flatMap(l -> l.string("oid").or(() -> l.string("sha256")))
                .map(o -> o.startsWith("sha256:") ? o.substring(7) : o)
                .filter(o -> o.matches("[0-9a-f]{64}"));
        return new ModelFile(path, size, sha256);
    }

    private List<JsonObject> tree(ModelId model, String commit) throws IOException {
        List<JsonObject> files = new ArrayList<>();
        URI page = client.uri("/api/models/%s/tree/%s?recursive=true".formatted(model, encode(commit)));
        for (int i = 0; i < MAX_PAGES; i++) {
            try (HubClient.Answer answer = client.get(page, Map.of())) {
                check(answer, model);
                if (!(parse(answer, model) instanceof JsonArray array)) {
                    throw new IOException("the hub's list of files of %s is not an array".formatted(model));
                }
                for (Json item : array) {
                    if (item instanceof JsonObject entry
                            && entry.string("type").orElse("file").equals("file")) {
                        files.add(entry);
                    }
                }
                Matcher next = NEXT.matcher(answer.header("Link").orElse(""));
                if (!next.find()) {
                    return files;
                }
                page = page.resolve(next.group(1));
            } catch (JsonException e) {
                throw new IOException(
                        "the hub's list of files of %s is malformed: %s".formatted(model, e.getMessage()), e);
            }
        }
        throw new IOException("the hub's list of files of %s does not end after %d pages".formatted(model, MAX_PAGES));
    }

    private Optional<Json> json(URI uri, ModelId model) throws IOException {
        try (HubClient.Answer answer = client.get(uri, Map.of())) {
            if (absent(answer)) {
                return Optional.empty();
            }
            check(answer, model);
            return Optional.of(parse(answer, model));
        }
    }

    private static Json parse(HubClient.Answer answer, ModelId model) throws IOException {
        byte[] body = answer.response().body().readNBytes((int) SMALL);
        try {
            return Json.parse(body);
        } catch (JsonException e) {
            throw new IOException("the hub's answer about %s is not JSON: %s".formatted(model, e.getMessage()), e);
        }
    }

    /** The hub says 401 for what it does not have and for what it will not show, and tells them apart in a header. */
    private static boolean absent(HubClient.Answer answer) {
        String code = answer.header("X-Error-Code").orElse("");
        return answer.status() == 404 || (answer.status() == 401 && code.equals("RepoNotFound"));
    }

    private void check(HubClient.Answer answer, ModelId model) throws IOException {
        int status = answer.status();
        if (status == 200 || status == 206) {
            return;
        }
        if (status == 401 || status == 403) {
            throw new IOException(
                    answer.header("X-Error-Code").orElse("").equals("GatedRepo")
                                    || settings.token().isPresent()
                            ? "%s is gated: accept its terms at %s/%s with the account of the access token"
                                    .formatted(model, settings.endpoint(), model)
                            : "the hub refuses %s without an access token: set hf_token or HF_TOKEN".formatted(model));
        }
        throw new IOException("the hub answered %d about %s%s"
                .formatted(
                        status,
                        model,
                        answer.header("X-Error-Message").map(m -> ": " + m).orElse("")));
    }

    /** What the hub itself refuses it will refuse again; where it redirects to, links may have run out. */
    private void checkFile(HubClient.Answer answer, ModelId model, ModelFile file) throws IOException {
        try {
            check(answer, model);
        } catch (IOException e) {
            boolean hubs =
                    settings.endpoint().getAuthority().equals(answer.uri().getAuthority());
            if (hubs && answer.status() >= 400 && answer.status() < 500) {
                throw new SkulkException(Problem.of(Problem.Kind.NOT_READY, file.path() + ": " + e.getMessage()), e);
            }
            throw e;
        }
    }

    @Override
    public ReadableByteChannel open(ModelId model, ModelFile file, ByteRange range) throws IOException {
        HubListing listing = listings.get(model);
        if (listing == null) {
            find(model);
            listing = listings.get(model);
        }
        if (listing == null || !listing.manifest().files().contains(file)) {
            throw new IOException("%s of %s changed on the hub since it was listed".formatted(file.path(), model));
        }
        URI uri = client.uri("/%s/resolve/%s/%s".formatted(model, encode(listing.revision()), encodePath(file.path())));
        if (file.sha256().isPresent() || file.size() > SMALL) {
            return new RangedChannel(client, uri, file, range, answer -> checkFile(answer, model, file));
        }
        return small(uri, listing, file, range.start());
    }

    private ReadableByteChannel small(URI uri, HubListing listing, ModelFile file, long offset) throws IOException {
        byte[] bytes;
        try (HubClient.Answer answer = client.get(uri, Map.of());
                InputStream body = answer.response().body()) {
            checkFile(answer, listing.manifest().model(), file);
            bytes = body.readNBytes((int) file.size() + 1);
        }
        if (bytes.length != file.size()) {
            throw new IOException("%s has %s bytes, the hub listed %d"
                    .formatted(file.path(), bytes.length > file.size() ? "more" : bytes.length, file.size()));
        }
        Optional<String> id = listing.gitId(file);
        if (id.isPresent() && !id.get().equals(gitId(bytes))) {
            throw new IOException("%s does not have the content that the hub listed: Git id %s instead of %s"
                    .formatted(file.path(), gitId(bytes), id.get()));
        }
        return Channels.newChannel(new ByteArrayInputStream(bytes, (int) offset, bytes.length - (int) offset));
    }

    /** The id of a Git blob: SHA-1 over {@code "blob <size>\0"} and the content. */
    static String gitId(byte[] content) {
        try {
            MessageDigest sha1 = MessageDigest.getInstance("SHA-1");
            sha1.update(("blob " + content.length + '\0').getBytes(StandardCharsets.US_ASCII));
            return HexFormat.of().formatHex(sha1.digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-1", e);
        }
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    private static String encodePath(String path) {
        return String.join(
                "/",
                java.util.Arrays.stream(path.split("/")).map(HubBackend::encode).toList());
    }
}
