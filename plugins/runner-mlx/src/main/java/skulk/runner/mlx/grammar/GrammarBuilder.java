package skulk.runner.mlx.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.function.IntUnaryOperator;
import skulk.api.problem.Problem.Kind;
import skulk.api.problem.SkulkException;

/**
 * Grows a {@link Grammar} state by state (Thompson's construction). Every method continues from a state and returns the state behind what it added. One thread.
 */
final class GrammarBuilder {
    static final int UNREACHABLE = Integer.MAX_VALUE / 4;
    /** About 30 MB of automaton; a schema that asks for more counts up to too large a number somewhere. */
    private static final int MAX_STATES = 300_000;

    private final List<int[]> bytes = new ArrayList<>();
    private final List<int[]> calls = new ArrayList<>();
    private final List<int[]> epsilon = new ArrayList<>();
    private final BitSet ends = new BitSet();

    int state() {
        if (bytes.size() >= MAX_STATES) {
            throw new SkulkException(
                    Kind.USER_ERROR,
                    "the schema needs an automaton of more than " + MAX_STATES
                            + " states; lower its largest count (maxLength, maxItems, {m,n})");
        }
        bytes.add(new int[0]);
        calls.add(new int[0]);
        epsilon.add(new int[0]);
        return bytes.size() - 1;
    }

    /** Marks the end of a rule. */
    void end(int state) {
        ends.set(state);
    }

    private static void append(List<int[]> edges, int state, int... edge) {
        int[] old = edges.get(state);
        int[] longer = Arrays.copyOf(old, old.length + edge.length);
        System.arraycopy(edge, 0, longer, old.length, edge.length);
        edges.set(state, longer);
    }

    void edge(int from, int low, int high, int to) {
        append(bytes, from, low, high, to);
    }

    /** Goes from one state to another without reading. */
    void join(int from, int to) {
        append(epsilon, from, to);
    }

    int range(int from, int low, int high) {
        int to = state();
        edge(from, low, high, to);
        return to;
    }

    int literal(int from, String text) {
        int at = from;
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            at = range(at, b & 0xff, b & 0xff);
        }
        return at;
    }

    /** Runs a rule that begins at a state. */
    int call(int from, int rule) {
        int back = state();
        append(calls, from, rule, back);
        return back;
    }

    int optional(int from, IntUnaryOperator part) {
        int to = state();
        join(part.applyAsInt(from), to);
        join(from, to);
        return to;
    }

    int anyOf(int from, List<IntUnaryOperator> parts) {
        int to = state();
        for (IntUnaryOperator part : parts) {
            int entry = state();
            join(from, entry);
            join(part.applyAsInt(entry), to);
        }
        return to;
    }

    /** @param max most repetitions, negative = any number */
    int repeat(int from, int min, int max, IntUnaryOperator part) {
        int at = from;
        for (int i = 0; i < min; i++) {
            at = part.applyAsInt(at);
        }
        int to = state();
        if (max < 0) {
            int loop = state();
            join(at, loop);
            join(part.applyAsInt(loop), loop);
            join(loop, to);
            return to;
        }
        join(at, to);
        for (int i = min; i < max; i++) {
            at = part.applyAsInt(at);
            join(at, to);
        }
        return to;
    }

    /** The finished automaton. */
    Grammar build(int start) {
        int n = bytes.size();
        int[][] byteEdges = new int[n][];
        int[][] callEdges = new int[n][];
        boolean[] finals = new boolean[n];
        int[] met = new int[n];
        for (int s = 0; s < n; s++) {
            List<int[]> ownBytes = new ArrayList<>();
            List<int[]> ownCalls = new ArrayList<>();
            for (int t : closure(s, met)) {
                ownBytes.add(bytes.get(t));
                ownCalls.add(calls.get(t));
                finals[s] |= ends.get(t);
            }
            byteEdges[s] = concat(ownBytes);
            callEdges[s] = concat(ownCalls);
        }
        return new Grammar(start, byteEdges, callEdges, finals, distances(byteEdges, callEdges, finals));
    }

    /** @param met by state: one more than the state whose closure met it last */
    private List<Integer> closure(int state, int[] met) {
        List<Integer> found = new ArrayList<>();
        found.add(state);
        met[state] = state + 1;
        for (int i = 0; i < found.size(); i++) {
            for (int next : epsilon.get(found.get(i))) {
                if (met[next] != state + 1) {
                    met[next] = state + 1;
                    found.add(next);
                }
            }
        }
        return found;
    }

    private static int[] concat(List<int[]> parts) {
        return parts.stream().flatMapToInt(Arrays::stream).toArray();
    }

    /** Fewest bytes from each state to the end of its rule: relaxed until nothing changes, which takes as many rounds as rules nest. */
    private static int[] distances(int[][] byteEdges, int[][] calls, boolean[] ends) {
        int[] distance = new int[ends.length];
        for (int s = 0; s < ends.length; s++) {
            distance[s] = ends[s] ? 0 : UNREACHABLE;
        }
        boolean changed = true;
        while (changed) {
            changed = false;
            // later states are usually nearer to the end
            for (int s = ends.length - 1; s >= 0; s--) {
                int best = distance[s];
                for (int i = 0; i < byteEdges[s].length; i += 3) {
                    best = Math.min(best, 1 + distance[byteEdges[s][i + 2]]);
                }
                for (int i = 0; i < calls[s].length; i += 2) {
                    best = Math.min(best, distance[calls[s][i]] + distance[calls[s][i + 1]]);
                }
                if (best < distance[s]) {
                    distance[s] = best;
                    changed = true;
                }
            }
        }
        return distance;
    }
}
