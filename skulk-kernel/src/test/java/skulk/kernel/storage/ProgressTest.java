package skulk.kernel.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import skulk.api.cluster.Memory;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;

class ProgressTest {
    private static final long SECOND = 1_000_000_000L;

    private final AtomicLong clock = new AtomicLong();
    private final ModelFile file = new ModelFile("w", 1000, Optional.empty());
    private final Progress progress = new Progress(clock::get);

    private void after(double seconds) {
        clock.addAndGet((long) (seconds * SECOND));
    }

    @Test
    void tellsEachFivePercentAtLeastASecondApartElseEveryHalfMinute() {
        progress.begin(Wanted.whole(new ModelManifest(new ModelId("m"), "", "hub", List.of(file))));
        assertTrue(progress.due(), "the list of files is news");
        progress.received(file, 500);
        after(0.9);
        assertFalse(progress.due(), "less than a second");
        after(0.2);
        assertTrue(progress.due());
        progress.received(file, 49);
        after(5);
        assertFalse(progress.due(), "less than 5 %");
        progress.received(file, 1);
        assertTrue(progress.due());
        after(29);
        assertFalse(progress.due());
        after(2);
        assertTrue(progress.due(), "heartbeat");
    }

    @Test
    void countsSessionSpeedAndTimeLeft() {
        progress.begin(Wanted.whole(new ModelManifest(new ModelId("m"), "", "hub", List.of(file))));
        progress.resumed(file, 400);
        progress.received(file, 100);
        after(1);
        progress.due();
        var snapshot = progress.snapshot();
        assertEquals(new Memory(500), snapshot.downloaded());
        assertEquals(new Memory(100), snapshot.downloadedThisSession());
        assertEquals(100, snapshot.speed(), 1e-9);
        assertEquals(5000, snapshot.etaMs());
        assertEquals(new Memory(500), snapshot.files().get("w").downloaded());
        progress.finished(file);
        assertEquals(1, progress.snapshot().completedFiles());
        assertEquals(0, progress.snapshot().etaMs());
    }

    @Test
    void theThrottleSpreadsBytesOverTime() {
        Throttle throttle = new Throttle(1000, clock::get);
        after(10);
        assertEquals(0, throttle.book(500), "idle time is credited");
        assertEquals(0, throttle.book(500));
        assertEquals(SECOND, throttle.book(1000), "but never more than a second of it");
        after(1);
        assertEquals(SECOND / 2, throttle.book(500));
        assertEquals(0, new Throttle(0, clock::get).book(1 << 30), "0 is unlimited");
    }
}
