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
