package skulk.kernel.event;

/**
 * What the event log may use of the disk (runbook, "Event-log retention and the free-space floor"; contract section 10).
 *
 * @param ringBytes beyond this the log is compacted
 * @param ringKeep events kept by a compaction
 * @param ringCheck the size is looked at each so many appends
 * @param archives most archives kept
 * @param archiveBytes most bytes of archives kept
 * @param freeFloor with less free space than this nothing is written
 * @param floorCheck free space is looked at each so many appends
 * @param metaEvery the side file is written each so many appends
 * @param queue events that may wait to be written; more are counted as lost
 */
public record LogLimits(
        long ringBytes,
        int ringKeep,
        int ringCheck,
        int archives,
        long archiveBytes,
        long freeFloor,
        int floorCheck,
        int metaEvery,
        int queue) {

    public static final LogLimits DEFAULT =
            new LogLimits(256L << 20, 20_000, 4096, 5, 1L << 30, 2L << 30, 1024, 256, 65_536);
}
