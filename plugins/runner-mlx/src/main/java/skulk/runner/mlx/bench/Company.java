package skulk.runner.mlx.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.runner.mlx.schedule.ChunkPolicy;
import skulk.runner.mlx.schedule.Scheduler;

/**
 * Streams that are submitted at once. Each ends when it has brought out so many tokens since the last of them began, so that all run together for that long however
 * long their prompts take. Counted on the scheduler's thread.
 */
final class Company {
    private final int streams;
    private final int tokens;
    private int begun;

    /** @param tokens of each stream, in the company of all */
    Company(int streams, int tokens) {
        this.streams = streams;
        this.tokens = tokens;
    }

    /**
     * When their tokens came.
     *
     * @param start when they were submitted, {@link System#nanoTime}
     */
    record Times(long start, List<List<Long>> tokens) {
        /** When the last of them began. */
        long complete() {
            return tokens.stream().mapToLong(List::getFirst).max().orElseThrow();
        }

        /** Tokens that were read in and brought out. */
        long all(int prompt) {
            return tokens.stream().mapToLong(times -> prompt + times.size()).sum();
        }

        /** Tokens per second of all streams together while all of them run. */
        double speed() {
            long from = complete();
            long to = tokens.stream().mapToLong(List::getLast).min().orElseThrow();
            long count = tokens.stream()
                    .flatMap(List::stream)
                    .filter(time -> time > from && time <= to)
                    .count();
            return to > from ? count * 1e9 / (to - from) : 0;
        }
    }

    /** Most tokens that one of them brings out: it goes on while the prompts of the others are read in the smallest parts. */
    static int longest(int streams, int prompt, int tokens) {
        return tokens + 1 + (streams - 1) * (prompt / ChunkPolicy.LEAST + 1);
    }

    /**
     * Runs them to their end.
     *
     * @param prompts one of each stream, equally long
     */
    static Times run(Scheduler scheduler, List<int[]> prompts, int tokens) throws InterruptedException {
        Company company = new Company(prompts.size(), tokens);
        long start = System.nanoTime();
        List<Stream> streams = new ArrayList<>();
        for (int[] prompt : prompts) {
            Stream stream = new Stream(Optional.of(company));
            stream.submit(scheduler, prompt, longest(prompts.size(), prompt.length, tokens));
            streams.add(stream);
        }
        List<List<Long>> times = new ArrayList<>();
        for (Stream stream : streams) {
            times.add(stream.await());
        }
        return new Times(start, times);
    }

    void begin() {
        begun++;
    }

    boolean complete() {
        return begun == streams;
    }

    int tokens() {
        return tokens;
    }
}
