package skulk.runner.mlx.shard;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import skulk.api.RankLinks;

class LinkCollectivesTest {
    private static final int OFFSET = 3;
    private static final int[] SIZES = {
        1, 2, 7, 2048, 9000, LinkCollectives.LONG_SUM - 1, LinkCollectives.LONG_SUM + 5, 1_000_003
    };

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4})
    void sumsAreTheSameBitsOnAllRanksOverSockets(int ranks) throws Exception {
        List<SocketLinks> links = Meshes.sockets(ranks);
        try {
            sums(links);
        } finally {
            for (SocketLinks link : links) {
                link.close();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void sumsAreTheSameBitsOnAllRanksOverQueues(int ranks) throws Exception {
        sums(Meshes.queues(ranks));
    }

    private static void sums(List<? extends RankLinks> links) throws Exception {
        int ranks = links.size();
        List<float[][]> results = Meshes.run(links, (rank, link) -> {
            try (LinkCollectives collectives = new LinkCollectives(link, rank, ranks)) {
                float[][] sums = new float[SIZES.length][];
                for (int i = 0; i < SIZES.length; i++) {
                    sums[i] = values(rank, SIZES[i]);
                    collectives.allReduce(sums[i], OFFSET, SIZES[i]);
                }
                return sums;
            }
        });
        for (int i = 0; i < SIZES.length; i++) {
            float[] expected = values(0, SIZES[i]);
            for (int rank = 1; rank < ranks; rank++) {
                float[] part = values(rank, SIZES[i]);
                for (int k = OFFSET; k < OFFSET + SIZES[i]; k++) {
                    expected[k] += part[k];
                }
            }
            for (int rank = 0; rank < ranks; rank++) {
                float[] own = values(rank, SIZES[i]);
                float[] sum = results.get(rank)[i];
                assertArrayEquals(
                        Arrays.copyOfRange(expected, OFFSET, OFFSET + SIZES[i]),
                        Arrays.copyOfRange(sum, OFFSET, OFFSET + SIZES[i]),
                        0,
                        SIZES[i] + " values on rank " + rank);
                assertArrayEquals(
                        Arrays.copyOf(own, OFFSET), Arrays.copyOf(sum, OFFSET), "what lies before is not touched");
            }
        }
    }

    private static float[] values(int rank, int size) {
        Random random = new Random(31L * rank + size);
        float[] values = new float[size + OFFSET + 2];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (random.nextGaussian() * Math.pow(10, random.nextInt(6)));
        }
        return values;
    }

    /** Both ends of a pair, and a ring, send more than sockets hold before they receive. */
    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void largeMessagesCrossEachOther(int ranks) throws Exception {
        List<SocketLinks> links = Meshes.sockets(ranks);
        List<Boolean> right = Meshes.run(links, (rank, link) -> {
            try (LinkCollectives collectives = new LinkCollectives(link, rank, ranks)) {
                float[] got = new float[3_000_000];
                for (int i = 0; i < 3; i++) {
                    float[] mine = new float[got.length - i];
                    Arrays.fill(mine, rank * 10 + i);
                    collectives.send((rank + 1) % ranks, mine, 0, mine.length);
                    collectives.send((rank + 1) % ranks, new float[] {i}, 0, 1);
                }
                boolean same = true;
                int before = (rank + ranks - 1) % ranks;
                for (int i = 0; i < 3; i++) {
                    collectives.receive(before, got, 0, got.length - i);
                    same &= got[0] == before * 10 + i && got[got.length - 1 - i] == before * 10 + i;
                    collectives.receive(before, got, 0, 1);
                    same &= got[0] == i;
                }
                return same;
            }
        });
        for (SocketLinks link : links) {
            link.close();
        }
        assertTrue(right.stream().allMatch(same -> same), right.toString());
    }

    @Test
    void aSlowPeerIsWaitedFor() throws Exception {
        List<Float> sums = Meshes.run(Meshes.queues(3), (rank, link) -> {
            try (LinkCollectives collectives = new LinkCollectives(link, rank, 3)) {
                float[] one = {rank};
                for (int i = 0; i < 4; i++) {
                    if (rank == i % 3) {
                        TimeUnit.MILLISECONDS.sleep(60);
                    }
                    collectives.allReduce(one, 0, 1);
                }
                return one[0];
            }
        });
        assertTrue(sums.stream().allMatch(sum -> sum == 81), sums.toString());
    }

    @Test
    void aDeadPeerIsAnErrorOnAllRanksThatNamesThePair() throws Exception {
        List<SocketLinks> links = Meshes.sockets(3);
        List<CompletableFuture<Void>> waiting = new ArrayList<>();
        for (int rank : new int[] {0, 2}) {
            LinkCollectives collectives = new LinkCollectives(links.get(rank), rank, 3);
            waiting.add(CompletableFuture.runAsync(() -> collectives.allReduce(new float[8], 0, 8)));
        }
        links.get(1).close();
        assertTimeoutPreemptively(Duration.ofSeconds(10), () -> {
            ExecutionException first =
                    assertThrows(ExecutionException.class, () -> waiting.get(0).get());
            assertTrue(first.getCause() instanceof UncheckedIOException, first.toString());
            assertTrue(first.getMessage().contains("rank 0"), first.getMessage());
            assertTrue(first.getMessage().contains("rank 1"), first.getMessage());
        });
        links.get(0).close(); // as its process does
        assertTimeoutPreemptively(Duration.ofSeconds(10), () -> {
            assertThrows(ExecutionException.class, () -> waiting.get(1).get());
        });
        links.get(2).close();
    }
}
