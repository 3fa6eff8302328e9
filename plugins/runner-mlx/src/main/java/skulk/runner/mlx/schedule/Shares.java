package skulk.runner.mlx.schedule;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Divides a step among the sequences of the batch. Pure. */
final class Shares {
    private static final long PATIENCE = 2_000_000_000L;

    private Shares() {}

    /**
     * Every stream gets its next token; prompts share {@code budget} rows: half go to the prompt that has waited
     * longest, the rest to those that need least, so that a short prompt does not wait for a long one. One that has
     * waited for more than {@link #PATIENCE} gets all of them, so that no prompt starves where short ones keep coming.
     *
     * @param active in order of admission
     * @param now {@link System#nanoTime()}
     */
    static List<Share> of(List<Sequence> active, int budget, long now) {
        List<Share> shares = new ArrayList<>();
        List<Sequence> prompts = new ArrayList<>();
        for (Sequence sequence : active) {
            if (sequence.decoding()) {
                shares.add(new Share(sequence, 1));
            } else {
                prompts.add(sequence);
            }
        }
        if (prompts.isEmpty()) {
            return shares;
        }
        Sequence first = prompts.getFirst();
        int[] given = new int[prompts.size()];
        boolean alone = prompts.size() == 1 || now - first.admittedAt() > PATIENCE;
        given[0] = Math.min(first.remaining(), alone ? budget : (budget + 1) / 2);
        int left = budget - given[0];
        List<Integer> shortest = new ArrayList<>();
        for (int i = 0; i < prompts.size(); i++) {
            shortest.add(i);
        }
        shortest.sort(Comparator.comparingInt(i -> prompts.get(i).remaining()));
        for (int i : shortest) {
            int more = Math.min(left, prompts.get(i).remaining() - given[i]);
            given[i] += more;
            left -= more;
        }
        for (int i = 0; i < given.length; i++) {
            if (given[i] > 0) {
                shares.add(new Share(prompts.get(i), given[i]));
            }
        }
        return shares;
    }
}
