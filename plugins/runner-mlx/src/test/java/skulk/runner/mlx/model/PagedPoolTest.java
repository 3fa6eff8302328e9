package skulk.runner.mlx.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import skulk.runner.mlx.kernel.KvType;
import skulk.runner.mlx.kernel.NativeMemory;

class PagedPoolTest {
    private static final AttentionSpec FULL = AttentionSpec.of(2, 1, 16);
    private final NativeMemory memory = new NativeMemory();

    @AfterEach
    void close() {
        memory.close();
    }

    private PagedPool pool(int blocks, AttentionSpec... specs) {
        KvLayout layout = KvLayout.of(List.of(specs), KvType.F32);
        return new PagedPool(layout, memory, blocks * layout.blockBytes() + 5);
    }

    @Test
    void countsBlocksExactly() {
        PagedPool pool = pool(4, FULL, FULL);
        assertEquals(4, pool.totalBlocks());
        assertEquals(2 * 2 * 16 * 16 * 4, pool.layout().blockBytes());
        PagedSequence sequence = pool.newSequence();
        assertEquals(2, sequence.blocksFor(17));
        sequence.append(17);
        assertEquals(0, sequence.blocksFor(15));
        assertEquals(1, sequence.blocksFor(16));
        assertEquals(2, pool.freeBlocks());
        assertEquals(2 * pool.layout().blockBytes(), pool.usedBytes());
        sequence.append(47);
        assertThrows(CacheFullException.class, () -> sequence.append(1));
        sequence.close();
        sequence.close();
        assertEquals(0, pool.usedBytes());
    }

    @Test
    void sharesPrefixesByReference() {
        PagedPool pool = pool(8, FULL);
        PagedSequence first = pool.newSequence();
        first.append(40);
        List<KvBlock> prefix = first.fullBlocks();
        assertEquals(2, prefix.size());
        PagedSequence second = pool.newSequence(prefix);
        assertEquals(32, second.length());
        assertEquals(2, prefix.getFirst().references());
        second.append(8);
        assertEquals(4, 8 - pool.freeBlocks());
        first.close();
        assertEquals(1, prefix.getFirst().references());
        assertTrue(pool.canShare(prefix));
        second.close();
        assertFalse(pool.canShare(prefix));
        assertThrows(IllegalArgumentException.class, () -> pool.newSequence(prefix));
        assertThrows(IllegalStateException.class, () -> prefix.getFirst().retain());
        assertEquals(8, pool.freeBlocks());
    }

    @Test
    void copiesASharedBlockBeforeWritingIntoIt() {
        PagedPool pool = pool(8, FULL);
        PagedSequence first = pool.newSequence();
        first.append(32);
        PagedSequence second = pool.newSequence(first.fullBlocks());
        second.truncate(20);
        assertEquals(1, second.blocksFor(1));
        second.append(1);
        assertEquals(3, 8 - pool.freeBlocks());
        assertEquals(first.slot(0, 0), second.slot(0, 0));
        assertFalse(first.slot(0, 16) == second.slot(0, 16));
        first.close();
        second.close();
        assertEquals(8, pool.freeBlocks());
    }

    @Test
    void windowedLayersDropWhatNobodySees() {
        PagedPool pool = pool(64, FULL, FULL.withWindow(20));
        PagedSequence sequence = pool.newSequence();
        for (int i = 0; i < 30; i++) {
            sequence.append(16);
            sequence.dropUnseen();
        }
        long slot = pool.layout().groups().getFirst().slotBytes();
        // 480 positions: 30 whole slots of the full layer; the window sees from 461 - 64 on
        int held = 30 - (480 - PagedPool.SLACK - 20 + 1) / 16;
        assertEquals((30 + held) * slot, pool.usedBytes());
        assertTrue(sequence.canTruncate(480 - PagedPool.SLACK));
        assertFalse(sequence.canTruncate(100));
        assertTrue(sequence.canTruncate(480));
        assertFalse(pool.canShare(sequence.fullBlocks().subList(0, 10)));
        assertTrue(pool.canShare(sequence.fullBlocks()));
        sequence.close();
        assertEquals(0, pool.usedBytes());
    }

    @Test
    void leaksNothingInAnyOrder() {
        PagedPool pool = pool(60, FULL, FULL.withWindow(20), FULL.withWindow(33));
        Random random = new Random(3);
        List<PagedSequence> live = new ArrayList<>();
        List<KvBlock> retained = new ArrayList<>();
        for (int i = 0; i < 20_000; i++) {
            act(pool, random, live, retained);
            assertTrue(pool.usedBytes() <= pool.limitBytes());
        }
        live.forEach(PagedSequence::close);
        retained.forEach(KvBlock::release);
        assertEquals(0, pool.usedBytes());
        assertEquals(60, pool.freeBlocks());
    }

    private static void act(PagedPool pool, Random random, List<PagedSequence> live, List<KvBlock> retained) {
        PagedSequence any = live.isEmpty() ? null : live.get(random.nextInt(live.size()));
        switch (random.nextInt(7)) {
            case 0 -> live.add(pool.newSequence());
            case 1, 2, 3 -> {
                int tokens = 1 + random.nextInt(40);
                if (any != null && any.blocksFor(tokens) <= pool.freeBlocks()) {
                    any.append(tokens);
                    any.dropUnseen();
                }
            }
            case 4 -> {
                if (any != null && pool.canShare(any.fullBlocks())) {
                    live.add(pool.newSequence(any.fullBlocks()));
                }
            }
            case 5 -> {
                if (any != null) {
                    int to = Math.max(0, any.length() - random.nextInt(50));
                    if (any.canTruncate(to)) {
                        any.truncate(to);
                    }
                    if (!any.fullBlocks().isEmpty() && retained.size() < 10) {
                        any.fullBlocks().getLast().retain();
                        retained.add(any.fullBlocks().getLast());
                    }
                }
            }
            default -> {
                if (any != null) {
                    live.remove(any);
                    any.close();
                } else if (!retained.isEmpty()) {
                    retained.removeLast().release();
                }
            }
        }
    }
}
