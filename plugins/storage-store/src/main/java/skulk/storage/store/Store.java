package skulk.storage.store;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import skulk.api.json.JsonObject;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;

/** What can be asked of a store, at its host or from afar. Safe for use by several threads. An IOException means that it cannot be reached or read. */
interface Store {
    Health health() throws IOException;

    List<Entry> registry() throws IOException;

    List<Progress> downloads() throws IOException;

    /**
     * Has the host fetch a model unless it is there or on its way.
     *
     * @param wait longest wait until the list of files is known or fetching has failed
     */
    Progress download(ModelId model, Duration wait) throws IOException;

    /** Empty where the store neither has the model nor fetches it. */
    Optional<Progress> status(ModelId model) throws IOException;

    /** False where the store lacks the model. */
    boolean delete(ModelId model) throws IOException;

    /** The files of a model that the store has or is fetching. */
    Optional<ModelManifest> files(ModelId model) throws IOException;

    record Health(String storePath, long freeBytes, long totalBytes, long usedBytes) {}

    /** @param downloadedAt ISO-8601 */
    record Entry(
            ModelId modelId,
            String storePath,
            List<String> files,
            String downloadedAt,
            long totalBytes,
            boolean repoHasProjector) {
        public Entry {
            files = List.copyOf(files);
        }

        JsonObject toJson() {
            return JsonObject.builder()
                    .put("model_id", modelId.value())
                    .put("store_path", storePath)
                    .put("files", files)
                    .put("downloaded_at", downloadedAt)
                    .put("total_bytes", totalBytes)
                    .put("repo_has_projector", repoHasProjector)
                    .build();
        }

        static Entry of(JsonObject json) {
            return new Entry(
                    new ModelId(json.string("model_id").orElse("")),
                    json.string("store_path").orElse(""),
                    json.array("files").stream()
                            .flatMap(a -> a.items().stream())
                            .map(f -> f instanceof skulk.api.json.JsonString(String s) ? s : f.toString())
                            .toList(),
                    json.string("downloaded_at").orElse(""),
                    json.integer("total_bytes").orElse(0L),
                    json.bool("repo_has_projector").orElse(false));
        }
    }

    /**
     * @param status {@code pending}, {@code downloading}, {@code complete} or {@code failed}
     * @param progress 0 to 1
     */
    record Progress(ModelId modelId, String status, double progress, Optional<String> error) {
        static final String COMPLETE = "complete";
        static final String FAILED = "failed";

        /** As the node's endpoints write it; the store's own write the same in snake case. */
        JsonObject toJson(boolean camel) {
            return JsonObject.builder()
                    .put(camel ? "modelId" : "model_id", modelId.value())
                    .put("status", status)
                    .put("progress", progress)
                    .put("error", error)
                    .build();
        }

        static Progress of(JsonObject json) {
            return new Progress(
                    new ModelId(json.string("model_id").orElse("")),
                    json.string("status").orElse("pending"),
                    json.number("progress").orElse(0.0),
                    json.string("error"));
        }
    }
}
