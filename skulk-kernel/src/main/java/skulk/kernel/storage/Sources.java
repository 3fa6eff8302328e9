package skulk.kernel.storage;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import skulk.api.CopySource;
import skulk.api.StorageBackend;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/** The chain of storage backends, asked in the configured order. Safe for use by several threads. */
final class Sources {
    private static final System.Logger LOG = System.getLogger(Sources.class.getName());

    private final Supplier<? extends List<StorageBackend>> backends;
    private final boolean storeOnly;
    private final TransferLimits limits;

    /** A backend that has a model, and what it has. */
    record Found(StorageBackend backend, ModelManifest manifest) {}

    /** @param limits say how long a shared store that goes away while it is asked to make a copy is waited for */
    Sources(Supplier<? extends List<StorageBackend>> backends, boolean storeOnly, TransferLimits limits) {
        this.backends = backends;
        this.storeOnly = storeOnly;
        this.limits = limits;
    }

    /** The folder of the first source that has the model complete on this machine; trouble of a source is added to the reasons. */
    Optional<Path> local(ModelId model, List<String> reasons) {
        for (StorageBackend backend : backends.get()) {
            try {
                Optional<Path> folder = backend.local(model);
                if (folder.isPresent()) {
                    return folder;
                }
            } catch (IOException | SkulkException e) {
                reasons.add(backend.name() + ": " + ModelTransfer.message(e));
            }
        }
        return Optional.empty();
    }

    /**
     * Walks the sources that have the model until one visit succeeds.
     *
     * <p>A source that lacks the model is offered the manifest of the first later one that has it: a shared store then begins a copy of its own ({@link
     * CopySource#fetch}), and is visited before the later one. That is how a model crosses the internet once.
     *
     * @param reasons gets why sources were passed over
     * @return whether a visit succeeded
     */
    boolean visit(ModelId model, List<String> reasons, Visitor visitor) throws InterruptedException {
        List<StorageBackend> lacking = new ArrayList<>();
        Set<StorageBackend> silent = new HashSet<>();
        boolean afterStore = false;
        for (StorageBackend backend : backends.get()) {
            if (storeOnly && afterStore && !backend.name().equals(PeerBackend.NAME)) {
                reasons.add(
                        "neither the store nor another node has it, and model_store.download.allow_hf_fallback is false: POST /store/models/%s/download has the store fetch it"
                                .formatted(model));
                return false;
            }
            afterStore |= backend.name().equals(StorageSettings.STORE_BACKEND);
            int before = reasons.size();
            Optional<Found> found = find(backend, model, reasons);
            if (found.isEmpty()) {
                lacking.add(backend);
                if (reasons.size() > before) {
                    silent.add(backend);
                }
            } else {
                for (StorageBackend earlier : lacking) {
                    int tries = silent.contains(earlier) ? 1 : limits.attempts();
                    Optional<Found> begun = offer(earlier, found.get().manifest(), tries, reasons);
                    if (begun.isPresent() && attempt(begun.get(), reasons, visitor)) {
                        return true;
                    }
                }
                lacking.clear();
                if (attempt(found.get(), reasons, visitor)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Transfers from one source. */
    @FunctionalInterface
    interface Visitor {
        void visit(Found found) throws IOException, InterruptedException;
    }

    private static boolean attempt(Found found, List<String> reasons, Visitor visitor) throws InterruptedException {
        if (once(found, reasons, visitor)) {
            return true;
        }
        // the content may have changed between listing and reading: then the new listing deserves a try of its own
        Optional<Found> again = find(found.backend(), found.manifest().model(), reasons);
        return again.isPresent()
                && !again.get().manifest().equals(found.manifest())
                && once(again.get(), reasons, visitor);
    }

    private static boolean once(Found found, List<String> reasons, Visitor visitor) throws InterruptedException {
        try {
            visitor.visit(found);
            return true;
        } catch (IOException | SkulkException e) {
            if (Thread.currentThread().isInterrupted()) {
                throw new InterruptedException();
            }
            if (e instanceof SkulkException problem && problem.problem().kind() == Problem.Kind.OUT_OF_RESOURCES) {
                throw problem;
            }
            String reason = found.backend().name() + ": " + ModelTransfer.message(e);
            reasons.add(reason);
            LOG.log(
                    System.Logger.Level.WARNING,
                    "{0} cannot be had from this source: {1}",
                    found.manifest().model(),
                    reason);
            return false;
        }
    }

    private static Optional<Found> find(StorageBackend backend, ModelId model, List<String> reasons) {
        try {
            return backend.find(model).map(manifest -> new Found(backend, checked(manifest)));
        } catch (IOException | SkulkException | IllegalArgumentException e) {
            reasons.add(backend.name() + ": " + ModelTransfer.message(e));
            return Optional.empty();
        }
    }

    /** A store that answered before and does not now is coming back as a rule: to go past it would have the model cross the internet again for each node. */
    private Optional<Found> offer(StorageBackend earlier, ModelManifest manifest, int tries, List<String> reasons)
            throws InterruptedException {
        for (int failures = 1; ; failures++) {
            try {
                Optional<CopySource> copies = earlier.copies();
                return copies.isPresent() && copies.get().fetch(manifest)
                        ? earlier.find(manifest.model()).map(found -> new Found(earlier, checked(found)))
                        : Optional.empty();
            } catch (IOException | SkulkException | IllegalArgumentException e) {
                String reason = earlier.name() + ": " + ModelTransfer.message(e);
                boolean gone = e instanceof IOException
                        || e instanceof SkulkException p && p.problem().kind() == Problem.Kind.NOT_READY;
                LOG.log(
                        System.Logger.Level.WARNING,
                        "{0} cannot be copied by the store (attempt {1}): {2}",
                        manifest.model(),
                        failures,
                        reason);
                if (!gone || failures >= tries) {
                    reasons.add(reason);
                    return Optional.empty();
                }
                Thread.sleep(limits.pause(failures));
            }
        }
    }

    /** Refuses a manifest that could damage the folder: names used twice, or by the folder itself. */
    private static ModelManifest checked(ModelManifest manifest) {
        Set<String> names = new HashSet<>();
        for (ModelFile file : manifest.files()) {
            if (ModelFolder.reserved(file.path()) || !names.add(file.path())) {
                throw new IllegalArgumentException(
                        "%s lists a file that cannot be staged: '%s'".formatted(manifest.source(), file.path()));
            }
        }
        if (manifest.files().isEmpty()) {
            throw new IllegalArgumentException(manifest.source() + " lists no files of " + manifest.model());
        }
        return manifest;
    }
}
