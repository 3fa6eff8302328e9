package skulk.kernel.storage;

import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import skulk.api.model.ByteRange;
import skulk.api.model.FilePart;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelManifest;

/**
 * What of a model is to be on this node.
 *
 * @param parts the files of which a part suffices, by name; all others are wanted whole
 */
record Wanted(ModelManifest manifest, Map<String, FilePart> parts) {
    Wanted {
        parts = Map.copyOf(parts);
    }

    /** All of it. */
    static Wanted whole(ModelManifest manifest) {
        return new Wanted(manifest, Map.of());
    }

    static Wanted of(ModelManifest manifest, List<FilePart> parts) {
        Map<String, FilePart> byName = new HashMap<>();
        parts.forEach(part -> byName.put(part.path(), part));
        return new Wanted(manifest, byName);
    }

    /** The blocks of a file that hold what is wanted of it, see {@link BlockJournal}. */
    BitSet blocks(ModelFile file) {
        BitSet blocks = new BitSet();
        FilePart part = parts.get(file.path());
        if (part == null) {
            blocks.set(0, BlockJournal.blocks(file.size()));
            return blocks;
        }
        for (ByteRange range : part.ranges()) {
            long end = Math.min(range.end(), file.size());
            if (range.start() < end) {
                blocks.set((int) (range.start() / BlockJournal.BLOCK), BlockJournal.blocks(end));
            }
        }
        return blocks;
    }

    /** The blocks of a file of which a part is wanted; none of one that is wanted whole. */
    BitSet partBlocks(ModelFile file) {
        return parts.containsKey(file.path()) ? blocks(file) : new BitSet();
    }

    /** Bytes of these blocks. */
    long bytes(ModelFile file) {
        return BlockJournal.bytes(blocks(file), file.size());
    }

    long totalBytes() {
        return manifest.files().stream().mapToLong(this::bytes).sum();
    }
}
