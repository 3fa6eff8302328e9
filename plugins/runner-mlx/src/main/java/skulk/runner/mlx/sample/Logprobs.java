package skulk.runner.mlx.sample;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/** Log probabilities of a raw row of logits. */
final class Logprobs {
    private Logprobs() {}

    /** The probabilities of {@code work.raw}, of which {@code chosen} was taken. */
    static Choice.Ranked of(Workspace work, int length, int chosen, int top) {
        float max = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < length; i++) {
            max = Math.max(max, work.raw[i]);
        }
        work.weigh(work.raw, 0, length, max, 1);
        double total = max + Math.log(work.sum(0, length));
        List<Choice.Alternative> best = new ArrayList<>(top);
        for (int token : largest(work.raw, length, top)) {
            best.add(new Choice.Alternative(token, work.raw[token] - total));
        }
        return new Choice.Ranked(work.raw[chosen] - total, best);
    }

    /** The ids of the largest values, largest first, lower ids first among equals. */
    private static List<Integer> largest(float[] values, int length, int count) {
        if (count <= 0) {
            return List.of();
        }
        Comparator<Integer> worstFirst =
                Comparator.<Integer>comparingDouble(i -> values[i]).thenComparing(Comparator.reverseOrder());
        PriorityQueue<Integer> heap = new PriorityQueue<>(count, worstFirst);
        float least = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < length; i++) {
            if (heap.size() < count) {
                heap.add(i);
                least = values[heap.element()];
            } else if (values[i] > least) {
                heap.poll();
                heap.add(i);
                least = values[heap.element()];
            }
        }
        List<Integer> ids = new ArrayList<>(heap);
        ids.sort(worstFirst.reversed());
        return ids;
    }
}
