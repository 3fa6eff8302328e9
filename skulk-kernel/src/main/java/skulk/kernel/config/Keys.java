package skulk.kernel.config;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import skulk.api.json.JsonObject;

/** Every key of the node's own. Plugins declare theirs by reading them. */
public final class Keys {
    private static final long MAX = Long.MAX_VALUE;

    // ---- HTTP
    public static final Key<String> API_HOST = Key.text(
            "api.host",
            "127.0.0.1",
            "address the HTTP API listens on; anything but loopback needs api.keys or api.insecure");
    public static final Key<Long> API_PORT = Key.integer(
                    "api.port", 52415, 0, 65535, "port of the HTTP API; 0 takes any free one")
            .env("SKULK_API_PORT");
    public static final Key<Boolean> API_ENABLED = Key.flag("api.enabled", true, "whether the node serves HTTP at all");
    public static final Key<Boolean> API_INSECURE =
            Key.flag("api.insecure", false, "allows listening beyond loopback without API keys");
    public static final Key<JsonObject> API_KEYS = Key.tree(
                    "api.keys",
                    "API keys by id: {sha256 or hash or key, scopes: [infer, place, admin], max_concurrent, tokens_per_minute}")
            .hidden();
    public static final Key<Boolean> API_LOOPBACK_OPEN =
            Key.flag("api.loopback_open", true, "whether callers on this machine need no API key");
    public static final Key<List<String>> API_NAMES = Key.texts(
            "api.names",
            List.of(),
            "host names this node is called by, besides localhost, its own name and addresses; requests to others count as a foreign page's");
    public static final Key<List<String>> API_CORS_ORIGINS = Key.texts(
            "api.cors.origins",
            List.of("*"),
            "origins that browsers may call from; * is every one, an empty list none");
    public static final Key<String> API_TLS_CERTIFICATE =
            Key.text("api.tls.certificate", "", "PEM file of the certificate chain; with api.tls.key turns TLS on");
    public static final Key<String> API_TLS_KEY = Key.text("api.tls.key", "", "PEM file of the private key");
    public static final Key<String> API_TLS_KEYSTORE = Key.text(
            "api.tls.keystore", "", "PKCS#12 or JKS file of key and certificate chain, instead of the PEM files");
    public static final Key<String> API_TLS_PASSWORD = Key.text(
                    "api.tls.password", "", "password of the keystore, or of an encrypted PEM key")
            .env("SKULK_API_TLS_PASSWORD")
            .hidden();
    public static final Key<Long> API_BODY_LIMIT = Key.integer(
            "api.body_limit_bytes",
            32L << 20,
            1024,
            1L << 40,
            "largest request body; larger ones are refused with 413");
    public static final Key<Double> API_BODY_TIMEOUT = Key.number(
            "api.body_timeout_seconds", 30, 0.1, 86_400, "longest time for a request's body to arrive, else 408");
    public static final Key<Double> API_IDLE_TIMEOUT = Key.number(
            "api.idle_timeout_seconds", 300, 1, 86_400, "how long a connection without a request stays open");
    public static final Key<Double> API_WRITE_TIMEOUT = Key.number(
            "api.write_timeout_seconds",
            30,
            0.1,
            86_400,
            "how long a client may not read its stream before it counts as gone");
    public static final Key<Long> API_CONNECTIONS =
            Key.integer("api.max_connections", 4096, 1, 1_000_000, "most connections at a time; further ones wait");

    // ---- the node
    public static final Key<String> NAME = Key.text(
                    "node.name", "", "friendly name in listings; the host name where empty")
            .env("SKULK_NODE_NAME");
    public static final Key<Boolean> OFFLINE =
            Key.flag("offline", false, "never uses the internet").env("SKULK_OFFLINE");
    public static final Key<Boolean> WORKER = Key.flag("node.worker", true, "whether the node takes ranks");
    public static final Key<Boolean> DOWNLOADS = Key.flag("node.downloads", true, "whether the node fetches models");
    public static final Key<String> PARTICIPATION = Key.oneOf(
                    "node.participation",
                    "full",
                    List.of("full", "management", "ffn_only"),
                    "what placements may use the node for")
            .env("SKULK_NODE_PARTICIPATION");
    public static final Key<Double> MEMORY_THRESHOLD = Key.number(
                    "node.memory_threshold", 0.75, 0.05, 1, "fraction of the memory that placements may use")
            .env("SKULK_MEMORY_THRESHOLD");
    public static final Key<String> HF_TOKEN = Key.text(
                    "hf_token", "", "access token of the model hub; never returned or broadcast")
            .env("HF_TOKEN")
            .hidden();

    public static final Key<String> HUB_ENDPOINT = Key.text(
                    "hub.endpoint", "https://huggingface.co", "address of the model hub")
            .env("HF_ENDPOINT");

    // ---- cluster
    public static final Key<String> MEMBERSHIP = Key.text(
                    "cluster.membership",
                    "",
                    "name of the membership to join with; where empty: jgroups if peers or a cluster port are named, else solo")
            .env("SKULK_MEMBERSHIP");
    public static final Key<Long> CLUSTER_PORT = Key.integer(
                    "cluster.port", 52416, 0, 65535, "port that members talk on; 0 takes any free one")
            .env("SKULK_CLUSTER_PORT", "SKULK_LIBP2P_PORT");
    public static final Key<List<String>> BOOTSTRAP_PEERS = Key.texts(
                    "cluster.bootstrap_peers", List.of(), "host:port of nodes to join")
            .env("SKULK_BOOTSTRAP_PEERS");
    public static final Key<String> NAMESPACE = Key.text(
                    "cluster.namespace", "v0.0.1", "clusters of different namespaces ignore each other")
            .env("SKULK_CLUSTER_NAMESPACE", "SKULK_LIBP2P_NAMESPACE");
    public static final Key<String> CLUSTER_SECRET = Key.text(
                    "cluster.secret", "", "shared secret that encrypts and authenticates what nodes tell each other")
            .env("SKULK_CLUSTER_SECRET")
            .hidden();
    public static final Key<Boolean> FORCE_MASTER =
            Key.flag("cluster.force_master", false, "joins as preferred coordinator");
    public static final Key<Boolean> TAILSCALE = Key.flag(
            "connectivity.tailscale.enabled",
            true,
            "accepted from existing files: addresses of a tailnet are used like any other");
    public static final Key<List<String>> TAILSCALE_PEERS = Key.texts(
            "connectivity.tailscale.bootstrap_peers",
            List.of(),
            "accepted from existing files; name these nodes in cluster.bootstrap_peers");

    // ---- placement and serving
    public static final Key<String> PLACEMENT_DEFAULT = Key.oneOf(
            "placement.default", "Pipeline", List.of("Pipeline", "Tensor"), "strategy where a request names none");
    public static final Key<Boolean> REPLACE_LOST = Key.flag(
            "placement.replace_lost", true, "whether what is lost with a node is placed again on what is left");
    public static final Key<Boolean> RESTORE = Key.flag(
            "placement.restore",
            true,
            "whether a cluster places again what fitted nowhere else once its nodes are back, also after a restart of all of them");
    public static final Key<Long> MAX_CONCURRENT = Key.integer(
                    "requests.max_concurrent", 8, 1, 4096, "sequences that one instance decodes together")
            .env("SKULK_MAX_CONCURRENT_REQUESTS");
    public static final Key<Long> MAX_QUEUED = Key.integer(
            "requests.max_queued", 256, 0, 1_000_000, "requests that wait per instance before further ones get 429");
    public static final Key<Long> MAX_OUTPUT_TOKENS = Key.integer(
                    "requests.max_output_tokens", 4096, 1, MAX, "output limit of requests that name none")
            .env("SKULK_MAX_OUTPUT_TOKENS", "SKULK_MAX_TOKENS");
    public static final Key<Boolean> BATCH = Key.flag("requests.batch", true, "whether requests share steps");
    public static final Key<Double> STREAM_IDLE = Key.number(
            "requests.stream_idle_seconds",
            120,
            1,
            86_400,
            "longest silence between tokens before a stream counts as stalled");
    public static final Key<Boolean> RESUME = Key.flag(
            "requests.resume",
            true,
            "whether a request whose ranks died goes on with another instance of its model from the tokens it has");
    public static final Key<Double> RESUME_SECONDS = Key.number(
            "requests.resume_seconds", 60, 0.1, 86_400, "longest wait of such a request before it ends with an error");
    public static final Key<Long> RESUME_ATTEMPTS =
            Key.integer("requests.resume_attempts", 3, 1, 100, "how often one request may go on");
    public static final Key<String> KV_BACKEND = Key.oneOf(
                    "inference.kv_cache_backend",
                    "default",
                    List.of("default", "f32", "bf16", "mlx_quantized"),
                    "how keys and values are kept: default is bf16, f32 in small models; mlx_quantized 8 bits")
            .env("SKULK_KV_CACHE_BACKEND");
    public static final Key<Long> THREADS = Key.integer(
                    "inference.threads", 0, 0, 4096, "threads a rank computes with; 0 = the machine's cores")
            .env("SKULK_THREADS");
    public static final Key<String> KERNELS = Key.oneOf(
                    "inference.kernels", "auto", List.of("auto", "exact", "fast"), "arithmetic of the matrix kernels")
            .env("SKULK_KERNELS");
    public static final Key<Boolean> MEASURE = Key.flag(
                    "inference.measure",
                    true,
                    "whether the engine measures itself after the first start, for forecasts: a few seconds of all threads")
            .env("SKULK_MEASURE");
    public static final Key<Boolean> SKIP_WARMUP = Key.flag(
                    "inference.skip_warmup", false, "places without a warm-up pass")
            .env("SKULK_SKIP_LLM_WARMUP");

    // ---- deadlines
    public static final Key<Double> WARMUP_DEADLINE = Key.number(
                    "deadlines.warmup_seconds", 300, 0.1, 86_400, "longest warm-up of a rank")
            .env("SKULK_WARMUP_DEADLINE_SECONDS");
    public static final Key<Double> CONNECT_DEADLINE = Key.number(
                    "deadlines.group_connect_seconds", 120, 0.1, 86_400, "longest time for ranks to connect")
            .env("SKULK_GROUP_CONNECT_DEADLINE_SECONDS");
    public static final Key<Double> STEP_DEADLINE = Key.number(
                    "deadlines.step_seconds", 60, 0.1, 86_400, "longest time of one step of a split model")
            .env("SKULK_PIPELINE_EVAL_TIMEOUT_SECONDS");
    public static final Key<Double> LOAD_DEADLINE = Key.number(
                    "deadlines.load_seconds", 600, 0.1, 86_400, "longest load of a rank without progress")
            .env("SKULK_MODEL_LOAD_TIMEOUT");
    public static final Key<Double> PLUGIN_DEADLINE =
            Key.number("deadlines.plugin_seconds", 20, 0.1, 3_600, "longest start or stop of a plugin");

    // ---- models and storage
    public static final Key<String> MODELS_DIR = Key.text(
                    "models.directory", "", "folder of models in place and of downloads; <data>/models where empty")
            .env("SKULK_MODELS_DIR");
    public static final Key<String> MODELS_PATH = Key.text(
                    "models.path", "", "further read-only folders of models, separated by colons")
            .env("SKULK_MODELS_PATH");
    public static final Key<Boolean> STORE =
            Key.flag("model_store.enabled", true, "whether the store configured below is used");
    public static final Key<String> STORE_HOST =
            Key.text("model_store.store_host", "", "host name or node id of the store");
    public static final Key<String> STORE_HTTP_HOST =
            Key.text("model_store.store_http_host", "", "address of the store for HTTP where it differs");
    public static final Key<Long> STORE_PORT =
            Key.integer("model_store.store_port", 58080, 0, 65535, "port of the store");
    public static final Key<String> STORE_PATH =
            Key.text("model_store.store_path", "", "directory of the store on its host");
    public static final Key<Boolean> HF_FALLBACK =
            Key.flag("model_store.download.allow_hf_fallback", true, "fetches from the hub what the store lacks");
    public static final Key<Long> PARALLEL_RANGES =
            Key.integer("downloads.parallel_ranges", 4, 1, 64, "ranges of one model that are fetched at a time");
    public static final Key<Double> BANDWIDTH = Key.number(
            "downloads.limit_mb_per_second",
            0,
            0,
            1e9,
            "most megabytes per second of all transfers of the node together; 0 = no limit");
    public static final Key<Boolean> STAGING =
            Key.flag("model_store.staging.enabled", true, "copies models from the store to the node before loading");
    public static final Key<String> STAGING_PATH = Key.text(
            "model_store.staging.node_cache_path",
            "",
            "folder of staged copies; ~/.skulk/staging where empty, <home>/staging with a home of its own");
    public static final Key<Boolean> STAGING_CLEANUP =
            Key.flag("model_store.staging.cleanup_on_deactivate", true, "master switch of eviction");
    public static final Key<Double> STAGING_KEEP = Key.number(
            "model_store.staging.staging_keep_recent_gb",
            40,
            0,
            Double.MAX_VALUE,
            "grace budget of staged copies in GiB");
    public static final Key<JsonObject> STORE_OVERRIDES = Key.tree(
            "model_store.node_overrides", "per host name or node id: {staging: …}, laid over model_store.staging");

    // ---- watching
    public static final Key<Boolean> TRACING = Key.flag(
                    "tracing.enabled", false, "whether requests are traced from the start")
            .env("SKULK_TRACING_ENABLED");
    public static final Key<Long> TRACE_DAYS =
            Key.integer("tracing.retention_days", 3, 0, 36_500, "days that traces are kept; 0 keeps all");
    public static final Key<Boolean> LOGGING = Key.flag(
                    "logging.enabled", false, "with logging.ingest_url: JSON lines on stdout")
            .env("SKULK_LOGGING_EXTERNAL");
    public static final Key<String> LOGGING_URL = Key.text("logging.ingest_url", "", "where JSON lines are collected");
    public static final Key<String> LOG_LEVEL = Key.oneOf(
                    "logging.level",
                    "info",
                    List.of("error", "warning", "info", "debug", "trace"),
                    "what the human log on stderr shows; -q and -v change it")
            .env("SKULK_LOG_LEVEL");

    // ---- plugins
    public static final Key<List<String>> PLUGINS_REQUIRED =
            Key.texts("plugins.required", List.of(), "plugins without which the node does not start");
    public static final Key<List<String>> PLUGINS_DISABLED =
            Key.texts("plugins.disabled", List.of(), "plugins that are not started");
    public static final Key<List<String>> PLUGINS_NATIVE =
            Key.texts("plugins.native_access", List.of(), "plugins beyond the built-in ones that may call native code");
    public static final Key<String> PLUGINS_DIRECTORY = Key.text(
                    "plugins.directory", "", "folder of further plugins; <data>/plugins.d where empty")
            .env("SKULK_PLUGINS_DIR");

    /** Every key above, in that order. */
    public static final List<Key<?>> ALL = all();

    private Keys() {}

    private static List<Key<?>> all() {
        List<Key<?>> keys = new ArrayList<>();
        for (Field field : Keys.class.getFields()) {
            if (field.getType() == Key.class) {
                try {
                    keys.add((Key<?>) field.get(null));
                } catch (IllegalAccessException e) {
                    throw new AssertionError("a public field of this class", e);
                }
            }
        }
        return List.copyOf(keys);
    }
}
