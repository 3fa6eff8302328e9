package skulk.runner.mlx.schedule;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Divides a step among the sequences of the batch. Pure. */
final class Shares {
    private Shares() {}

    /**
     * Every stream gets its next token; prompts share {@code budget} rows: half go to the prompt that has waited
     * longest, the rest to those that need least, so that a short prompt does not wait for a long one and no prompt
     * starves.
     *
     * @param active in order of admission
     */
    static List<Share> of(List<Sequence> active, int budget) {
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
        given[0] = Math.min(first.remaining(), prompts.size() == 1 ? budget : (budget + 1) / 2);
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
