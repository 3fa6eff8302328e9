package skulk.api.model;

import java.util.Optional;

/**
 * One file of a model.
 *
 * @param path relative to the model's folder, with forward slashes, never leaving it
 * @param size in bytes
 * @param sha256 lower-case hexadecimal digest, where the source knows it
 */
public record ModelFile(String path, long size, Optional<String> sha256) {
    /** @throws IllegalArgumentException where the path is absolute or leaves the folder */
    public ModelFile {
        if (path.isEmpty() || path.startsWith("/") || path.contains("\\") || (("/" + path + "/").contains("/../"))) {
            throw new IllegalArgumentException("not a path inside a model: '" + path + "'");
        }
        if (size < 0) {
            throw new IllegalArgumentException("negative size of '" + path + "': " + size);
        }
    }
}
