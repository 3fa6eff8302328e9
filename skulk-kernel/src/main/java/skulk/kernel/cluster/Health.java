package skulk.kernel.cluster;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.api.cluster.Download;
import skulk.api.cluster.NodeHealth;
import skulk.api.cluster.NodeHealth.Reason;
import skulk.api.cluster.NodeInfo;

/** A node's health from what is known of it (contract section 1, {@code nodeHealth}); pure. */
final class Health {
    private static final long DISK_FULL = 2L << 30;
    private static final long DISK_LOW = 10L << 30;
    private static final Duration SILENT = Duration.ofSeconds(15);

    private Health() {}

    static NodeHealth of(NodeInfo info, List<Download> downloads, Optional<String> refused, Instant now) {
        List<Reason> reasons = new ArrayList<>();
        info.disk().ifPresent(disk -> {
            long free = disk.available().inBytes();
            if (free <= DISK_FULL) {
                reasons.add(new Reason(
                        "disk_full",
                        "%.1f GB free on the models volume".formatted(free / 1e9),
                        "Free disk space or purge staging"));
            } else if (free < DISK_LOW) {
                reasons.add(new Reason(
                        "disk_low",
                        "%.1f GB free on the models volume".formatted(free / 1e9),
                        "Free disk space or lower staging_keep_recent_gb"));
            }
        });
        if (info.lastSeen().plus(SILENT).isBefore(now)) {
            reasons.add(new Reason(
                    "unreachable",
                    "silent for %d s"
                            .formatted(Duration.between(info.lastSeen(), now).toSeconds()),
                    "Check the node's process and network"));
        }
        for (Download download : downloads) {
            if (download instanceof Download.DownloadFailed failed) {
                reasons.add(new Reason(
                        "download_failed",
                        failed.shardMetadata().modelCard().modelId() + ": " + failed.errorMessage(),
                        remedy(failed.errorMessage())));
            }
        }
        refused.ifPresent(why -> reasons.add(new Reason(
                "placement_refused",
                why,
                "Free memory on the node, or place over more nodes; the model was tried elsewhere once")));
        return new NodeHealth(level(reasons), reasons);
    }

    /** By what the failure's text is about: a failed download is told as text alone (contract section 1.4). */
    private static String remedy(String failure) {
        if (failure.contains("disk")) {
            return "Free disk space at the path named, or purge staging, then place again";
        }
        if (failure.contains("access token") || failure.contains("gated")) {
            return "Set hf_token to a token that may read the model, then place again";
        }
        if (failure.contains("SHA-256")) {
            return "Check the mirror, or the disk of the source that sends other bytes, then place again";
        }
        return failure.contains("offline")
                ? "Put the model's folder under models.directory, or start the node without --offline"
                : "Check the model store and the hub, then place again";
    }

    private static String level(List<Reason> reasons) {
        boolean error = reasons.stream()
                .anyMatch(r -> r.code().equals("disk_full") || r.code().equals("download_failed"));
        return error ? "error" : reasons.isEmpty() ? "ok" : "warn";
    }
}
