package skulk.kernel.storage;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import skulk.api.cluster.Shard;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;
import skulk.api.json.Records;
import skulk.api.model.FilePart;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelManifest;

/**
 * Which shards of a model a folder holds that does not hold all of it: {@code .skulk.shards.json}, written when everything a shard needs is there and
 * verified. Without this note bytes in partial files are a transfer in progress and nothing more.
 *
 * @param manifest what the parts are of; parts of another state of the model do not count
 */
record ShardNotes(ModelManifest manifest, List<Note> notes) {
    static final String FILE = ".skulk.shards.json";

    ShardNotes {
        notes = List.copyOf(notes);
    }

    /**
     * One shard.
     *
     * @param shard its name, see {@link #name}
     * @param verified whether its blocks had the digests that a source lists; if not, what came over the wire is trusted until the file is whole
     */
    record Note(String shard, boolean verified, List<FilePart> parts) {
        Note {
            parts = List.copyOf(parts);
        }
    }

    /** Shards with the same name need the same bytes. */
    static String name(Shard shard) {
        return switch (shard) {
            case Shard.PipelineShardMetadata p ->
                "layers %d to %d of %d".formatted(p.startLayer(), p.endLayer(), p.nLayers());
            case Shard.TensorShardMetadata t -> "tensors %d of %d".formatted(t.deviceRank(), t.worldSize());
        };
    }

    /** The notes of a folder; empty where there are none, none that can be read, or of another state of the model than the folder's manifest. */
    static Optional<ShardNotes> of(ModelFolder folder) {
        try {
            ShardNotes notes = fromJson(
                    (JsonObject) Json.parse(Files.readAllBytes(folder.path().resolve(FILE))));
            return folder.manifest().filter(m -> sameState(m, notes.manifest)).map(m -> notes);
        } catch (IOException | JsonException | IllegalArgumentException | ClassCastException e) {
            return Optional.empty();
        }
    }

    private JsonObject toJson() {
        List<Json> shards = notes.stream()
                .<Json>map(note -> JsonObject.builder()
                        .put("shard", note.shard)
                        .put("verified", note.verified)
                        .put(
                                "parts",
                                new JsonArray(
                                        note.parts.stream().map(Records::toJson).toList()))
                        .build())
                .toList();
        return JsonObject.builder()
                .put("manifest", Records.toJson(manifest))
                .put("shards", new JsonArray(shards))
                .build();
    }

    private static ShardNotes fromJson(JsonObject json) {
        List<Note> notes = objects(json, "shards").stream()
                .map(note -> new Note(
                        note.string("shard").orElse(""),
                        note.bool("verified").orElse(false),
                        objects(note, "parts").stream()
                                .map(part -> Records.fromJson(part, FilePart.class))
                                .toList()))
                .toList();
        return new ShardNotes(
                Records.fromJson(json.object("manifest").orElse(JsonObject.EMPTY), ModelManifest.class), notes);
    }

    private static List<JsonObject> objects(JsonObject json, String name) {
        return json.array(name).orElse(JsonArray.of()).items().stream()
                .map(JsonObject.class::cast)
                .toList();
    }

    /** Whether two manifests are of the same state of a model, so that parts of both fit together. */
    static boolean sameState(ModelManifest one, ModelManifest other) {
        return one.revision().equals(other.revision()) && sizes(one).equals(sizes(other));
    }

    private static List<String> sizes(ModelManifest manifest) {
        return manifest.files().stream()
                .map(f -> f.path() + ' ' + f.size())
                .sorted()
                .toList();
    }

    /** The blocks of a file that some shard here needs. */
    BitSet blocks(ModelFile file) {
        BitSet blocks = new BitSet();
        notes.forEach(note -> blocks.or(Wanted.of(manifest, note.parts).partBlocks(file)));
        return blocks;
    }

    /** What a shard needs, if it is here. */
    static Optional<Wanted> find(ModelFolder folder, Shard shard) {
        return of(folder)
                .flatMap(notes -> notes.notes.stream()
                        .filter(note -> note.shard.equals(name(shard)))
                        .map(note -> Wanted.of(notes.manifest, note.parts))
                        .filter(wanted -> present(folder, wanted))
                        .findFirst());
    }

    private static boolean present(ModelFolder folder, Wanted wanted) {
        for (ModelFile file : wanted.manifest().files()) {
            if (!folder.holds(file) && !(wanted.parts().containsKey(file.path()) && inPart(folder, wanted, file))) {
                return false;
            }
        }
        return true;
    }

    private static boolean inPart(ModelFolder folder, Wanted wanted, ModelFile file) {
        BitSet missing = wanted.blocks(file);
        boolean none = missing.isEmpty();
        missing.andNot(BlockJournal.read(folder.blocks(file), file.size()));
        return none || (missing.isEmpty() && Files.exists(folder.partial(file)));
    }

    /** Adds a shard to the notes of a folder. */
    static void add(ModelFolder folder, Shard shard, Wanted wanted, boolean verified) throws IOException {
        List<Note> notes = new ArrayList<>();
        of(folder)
                .ifPresent(old -> old.notes.stream()
                        .filter(note -> !note.shard.equals(name(shard)))
                        .forEach(notes::add));
        notes.add(new Note(name(shard), verified, List.copyOf(wanted.parts().values())));
        String text = new ShardNotes(wanted.manifest(), notes).toJson().toPrettyString();
        WholeFile.write(folder.path().resolve(FILE), text);
    }
}
