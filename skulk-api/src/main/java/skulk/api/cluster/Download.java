package skulk.api.cluster;

import java.util.Map;

/** How far a node is with the files of a model (contract section 1.4). */
public sealed interface Download {
    NodeId nodeId();

    Shard shardMetadata();

    /** The staged folder, or where it will be. */
    String modelDirectory();

    record DownloadPending(NodeId nodeId, Shard shardMetadata, String modelDirectory, Memory downloaded, Memory total)
            implements Download {}

    record DownloadOngoing(NodeId nodeId, Shard shardMetadata, String modelDirectory, Progress downloadProgress)
            implements Download {}

    record DownloadCompleted(NodeId nodeId, Shard shardMetadata, String modelDirectory, Memory total, boolean readOnly)
            implements Download {}

    record DownloadFailed(NodeId nodeId, Shard shardMetadata, String modelDirectory, String errorMessage)
            implements Download {}

    /**
     * @param speed bytes per second over the last seconds
     * @param etaMs milliseconds left at that speed
     * @param files progress of each file by its name
     */
    record Progress(
            Memory total,
            Memory downloaded,
            Memory downloadedThisSession,
            int completedFiles,
            int totalFiles,
            double speed,
            long etaMs,
            Map<String, FileProgress> files) {
        public Progress {
            files = Map.copyOf(files);
        }
    }

    record FileProgress(Memory total, Memory downloaded) {}
}
