package skulk.storage.hub;

import java.util.Map;
import java.util.Optional;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelManifest;

/**
 * What the hub said about a model.
 *
 * @param manifest the files that are needed
 * @param revision under which they are read: a commit, so that a push under way cannot mix two states
 * @param gitIds Git object ids of the files that are no large files, by path
 */
record HubListing(ModelManifest manifest, String revision, Map<String, String> gitIds) {
    HubListing {
        gitIds = Map.copyOf(gitIds);
    }

    Optional<String> gitId(ModelFile file) {
        return Optional.ofNullable(gitIds.get(file.path()));
    }
}
