package skulk.kernel.event;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.cluster.CommandId;
import skulk.api.fake.SmallDisk;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.kernel.cluster.Event;
import skulk.kernel.cluster.Reported;

class EventLogTest {
    @TempDir
    Path directory;

    private static LogLimits limits(long ring, int keep, long floor) {
        return new LogLimits(ring, keep, 16, 2, 1 << 20, floor, 8, 4, 100_000);
    }

    private static void fill(EventLog log, int from, int to) {
        for (int i = from; i < to; i++) {
            log.append(
                    Reported.of(new Event.ChunkGenerated(new CommandId("c" + i), JsonObject.of("text", "word " + i))));
        }
    }

    private static List<Json> read(EventLog log) {
        try (Stream<Json> events = log.read()) {
            return events.toList();
        }
    }

    private static String command(Json event) {
        return ((JsonObject) event)
                .object("ChunkGenerated")
                .orElseThrow()
                .string("command_id")
                .orElseThrow();
    }

    @Test
    void keepsEventsInTheContractsForm() throws IOException {
        try (EventLog log = new EventLog(directory, LogLimits.DEFAULT)) {
            fill(log, 0, 3);
            List<Json> events = read(log);
            assertEquals(3, events.size());
            JsonObject chunk =
                    ((JsonObject) events.get(1)).object("ChunkGenerated").orElseThrow();
            assertEquals(
                    List.of("event_id", "command_id", "chunk"),
                    List.copyOf(chunk.members().keySet()));
            assertEquals(
                    "word 1", chunk.object("chunk").orElseThrow().string("text").orElseThrow());
        }
        byte[] bytes = Files.readAllBytes(directory.resolve("events.bin"));
        int length = java.nio.ByteBuffer.wrap(bytes).getInt();
        assertEquals(0x81, bytes[4] & 0xff, "a MessagePack map of one entry");
        assertTrue(length > 0 && length < bytes.length);
        assertEquals("{\"startIdx\":0,\"count\":3}", Files.readString(directory.resolve("events.meta.json")));
    }

    @Test
    void compactsToTheNewestEventsBeyondTheRing() throws IOException {
        try (EventLog log = new EventLog(directory, limits(4096, 20, 0))) {
            for (int i = 0; i < 500; i += 10) {
                fill(log, i, i + 10);
                read(log); // a barrier: sizes are looked at as they would be over time
            }
            List<Json> events = read(log);
            assertTrue(events.size() >= 20 && events.size() < 80, "kept " + events.size());
            assertEquals("c499", command(events.getLast()));
            assertEquals("c" + (500 - events.size()), command(events.getFirst()));
            assertTrue(Files.size(directory.resolve("events.bin")) < 4096 + 17 * 150);
            assertEquals(500, log.count());
        }
    }

    @Test
    void onlyCountsBelowTheFreeSpaceFloorAndWritesAgainAbove() throws IOException {
        try (EventLog log = new EventLog(directory, limits(1 << 20, 20, Long.MAX_VALUE))) {
            fill(log, 0, 100);
            assertTrue(read(log).isEmpty());
            assertTrue(log.countingOnly());
            assertEquals(100, log.count());
        }
    }

    @Test
    void onlyCountsOnADiskThatIsFullAndWritesAgainOnceThereIsRoom() throws Exception {
        try (SmallDisk disk = SmallDisk.mount(directory.resolve("mount"), 1)) {
            Path log = disk.root().resolve("log");
            try (EventLog events = new EventLog(log, limits(1 << 20, 1000, 16 << 10))) {
                fill(events, 0, 20);
                assertEquals(20, read(events).size());
                Path filler = disk.fill(4 << 10);
                fill(events, 20, 4000);
                int kept = read(events).size();
                assertTrue(events.countingOnly());
                assertTrue(kept >= 20 && kept < 4000, kept + " kept");
                assertEquals(4000, events.count());
                Files.delete(filler);
                fill(events, 4000, 4100);
                assertTrue(read(events).size() > kept);
                assertFalse(events.countingOnly());
            }
            disk.fill(0);
            try (EventLog again = new EventLog(log, limits(1 << 20, 1000, 0))) {
                fill(again, 0, 4000);
                read(again);
                assertEquals(4000, again.count(), "a node starts and runs with a log that it cannot write");
            }
        }
    }

    /** The runbook's own numbers, on a file system that is a little larger than the floor. */
    @Test
    void writesAboveTwoGibibytesFreeAndLooksEachThousandAndTwentyFourAppends() throws Exception {
        try (SmallDisk disk = SmallDisk.mount(directory.resolve("mount"), 2056);
                EventLog log = new EventLog(disk.root().resolve("log"), LogLimits.DEFAULT)) {
            fill(log, 0, 1000);
            assertEquals(1000, read(log).size());
            assertFalse(log.countingOnly());
            Path filler = disk.fill((2048L << 20) - 4096);
            fill(log, 1000, 1024);
            assertEquals(1024, read(log).size(), "nobody has looked yet");
            fill(log, 1024, 2000);
            assertEquals(1024, read(log).size());
            assertTrue(log.countingOnly());
            assertEquals(2000, log.count());
            Files.delete(filler);
            fill(log, 2000, 2048);
            assertEquals(1024, read(log).size(), "nobody has looked yet");
            fill(log, 2048, 2100);
            assertEquals(1024 + 52, read(log).size());
            assertFalse(log.countingOnly());
        }
    }

    @Test
    void keepsTwentyThousandEventsOfMoreThanAQuarterGibibyte() throws Exception {
        String text = "x".repeat(12_000);
        try (EventLog log = new EventLog(directory, LogLimits.DEFAULT)) {
            Path file = directory.resolve("events.bin");
            for (int i = 0; i < 24_576; i++) {
                log.append(Reported.of(new Event.ChunkGenerated(new CommandId("c" + i), JsonObject.of("text", text))));
                if (i == 20_479) {
                    log.read().close();
                    assertTrue(Files.size(file) < 256L << 20, "looked at each 4,096 appends: not beyond it yet");
                }
                if (i % 4096 == 0) {
                    log.read().close(); // the writer keeps up
                }
            }
            try (Stream<Json> kept = log.read()) {
                List<String> commands = kept.map(EventLogTest::command).toList();
                assertEquals(20_000, commands.size());
                assertEquals("c4576", commands.getFirst());
                assertEquals("c24575", commands.getLast());
            }
            assertTrue(Files.size(file) < 256L << 20, "the file is smaller");
        }
    }

    @Test
    void archivesAreAtMostAGibibyteAndFiveFiles() throws Exception {
        long[] megabytes = {900, 100, 20, 10, 300, 50}; // of the newest first, as sparse files
        for (int i = 0; i < megabytes.length; i++) {
            try (var archive = new java.io.RandomAccessFile(
                    directory
                            .resolve("events." + (2_000_000_000_000L - i) + ".bin.gz")
                            .toFile(),
                    "rw")) {
                archive.setLength(megabytes[i] << 20);
            }
        }
        try (EventLog log = new EventLog(directory, LogLimits.DEFAULT);
                Stream<Path> files = Files.list(directory)) {
            assertEquals(0, log.count());
            assertEquals(
                    900L + 100 + 20 << 20,
                    files.filter(f -> f.toString().endsWith(".gz"))
                            .mapToLong(f -> f.toFile().length())
                            .sum(),
                    "1,020 MiB; the next would go over 1,024, and what is older goes with it");
        }
    }

    /** What a request's thread spends on an event: it is queued, the log's thread makes and writes it. */
    @Test
    void appendingTakesMicrosecondsOfACallersTime() throws IOException {
        int events = 50_000; // fewer than may wait
        try (EventLog log = new EventLog(directory, limits(1L << 30, 100_000, 0))) {
            fill(log, 0, 20_000);
            read(log);
            CommandId command = new CommandId("c");
            JsonObject chunk = JsonObject.of("text", "word");
            long begin = System.nanoTime();
            for (int i = 0; i < events; i++) {
                log.append(() -> new Event.ChunkGenerated(command, chunk));
            }
            double micros = (System.nanoTime() - begin) / 1e3 / events;
            System.getLogger(EventLogTest.class.getName())
                    .log(System.Logger.Level.INFO, "an append takes {0} us of the caller", micros);
            assertTrue(micros < 50, micros + " us");
            assertEquals(70_000, read(log).size());
            assertEquals(70_000, log.count());
        }
    }

    @Test
    void aReaderIsNotDisturbedByACompaction() throws IOException {
        try (EventLog log = new EventLog(directory, limits(4096, 5, 0))) {
            fill(log, 0, 30);
            try (Stream<Json> early = log.read()) {
                fill(log, 30, 200);
                read(log);
                assertEquals("c0", command(early.iterator().next()));
            }
        }
    }

    @Test
    void archivesTheLastRunAndKeepsFewArchives() throws Exception {
        for (int run = 0; run < 5; run++) {
            try (EventLog log = new EventLog(directory, limits(1 << 20, 20, 0))) {
                fill(log, 0, 10);
                assertEquals(10, read(log).size());
            }
            Thread.sleep(2); // archives are named by the millisecond
        }
        try (EventLog log = new EventLog(directory, limits(1 << 20, 20, 0));
                Stream<Path> files = Files.list(directory)) {
            assertEquals(2, files.filter(f -> f.toString().endsWith(".bin.gz")).count());
            assertTrue(log.bytes() > 0);
        }
    }

    @Test
    void carriesEveryKindOfValue() throws IOException {
        String text = "{\"a\":[null,true,false,0,-1,127,128,-32,-33,2147483648,-9007199254740993,1.5,\"ü€𐍈\"],"
                + "\"long\":\"" + "x".repeat(70_000) + "\",\"many\":[" + "1,".repeat(20) + "2],\"o\":{}}";
        Json value = Json.parse(text);
        assertEquals(value, MessagePack.read(MessagePack.write(value)));
        byte[] cut = MessagePack.write(value);
        assertThrows(IOException.class, () -> MessagePack.read(java.util.Arrays.copyOf(cut, cut.length - 1)));
        assertFalse(cut.length > text.length() + 20);
    }
}
