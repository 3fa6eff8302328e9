package skulk.api.model;

import java.util.List;

/**
 * All files of a model at one revision.
 *
 * @param revision the source's name of this state, such as a commit; "" where it has none
 * @param source the storage backend that has it
 */
public record ModelManifest(ModelId model, String revision, String source, List<ModelFile> files) {
    public ModelManifest {
        files = List.copyOf(files);
    }

    public long totalBytes() {
        return files.stream().mapToLong(ModelFile::size).sum();
    }
}
