package skulk.api.placement;

import java.util.List;
import skulk.api.cluster.Download;
import skulk.api.cluster.Memory;
import skulk.api.model.ModelId;

/** How much of a model a node holds already. */
final class Downloads {
    private Downloads() {}

    /** In 0…1; the best of the node's reports on that model. */
    static double fraction(List<Download> reports, ModelId model) {
        return reports.stream()
                .filter(d -> d.shardMetadata().modelCard().modelId().equals(model))
                .mapToDouble(Downloads::fraction)
                .max()
                .orElse(0);
    }

    private static double fraction(Download report) {
        return switch (report) {
            case Download.DownloadCompleted c -> 1;
            case Download.DownloadOngoing o ->
                ratio(o.downloadProgress().downloaded(), o.downloadProgress().total());
            case Download.DownloadPending p -> ratio(p.downloaded(), p.total());
            case Download.DownloadFailed f -> 0;
        };
    }

    private static double ratio(Memory part, Memory whole) {
        return whole.inBytes() <= 0 ? 0 : Math.min(1, (double) part.inBytes() / whole.inBytes());
    }
}
