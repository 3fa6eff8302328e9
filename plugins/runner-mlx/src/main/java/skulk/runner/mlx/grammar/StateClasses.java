package skulk.runner.mlx.grammar;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * Which states of a grammar no short text tells apart. A string of at most 400 characters is 400 states, of which all but the last few do the same with any
 * token; what is learnt of one holds for its whole class. Pure.
 */
final class StateClasses {
    private StateClasses() {}

    private record Behaviour(int[] what) {
        @Override
        public boolean equals(Object other) {
            return other instanceof Behaviour behaviour && Arrays.equals(what, behaviour.what);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(what);
        }
    }

    /**
     * A number for every state, the same for states that allow the same texts of up to so many bytes and may end after the same ones. States that call rules
     * are classes of their own: what a call reads depends on more than its bytes.
     */
    static int[] of(Grammar grammar, int bytes) {
        int[] classes = new int[grammar.states()];
        for (int state = 0; state < classes.length; state++) {
            boolean reads = grammar.byteEdges()[state].length > 0;
            classes[state] =
                    grammar.calls()[state].length > 0 ? 4 + state : (reads ? 2 : 0) + (grammar.ends()[state] ? 1 : 0);
        }
        int known = (int) Arrays.stream(classes).distinct().count();
        for (int length = 1; length <= bytes; length++) {
            Map<Behaviour, Integer> numbers = new HashMap<>();
            int[] finer = new int[classes.length];
            for (int state = 0; state < classes.length; state++) {
                finer[state] = numbers.computeIfAbsent(behaviour(grammar, state, classes), b -> numbers.size());
            }
            classes = finer;
            if (numbers.size() == known) {
                break; // longer texts tell no more
            }
            known = numbers.size();
        }
        return classes;
    }

    /** What a state does with one byte and whatever follows, as far as the classes know. */
    private static Behaviour behaviour(Grammar grammar, int state, int[] classes) {
        if (grammar.calls()[state].length > 0) {
            return new Behaviour(new int[] {state});
        }
        int[] what = Arrays.copyOf(grammar.byteEdges()[state], grammar.byteEdges()[state].length + 2);
        for (int i = 2; i < what.length - 2; i += 3) {
            what[i] = classes[what[i]];
        }
        what[what.length - 2] = grammar.ends()[state] ? 1 : 0;
        what[what.length - 1] = -1; // no number of a state: never the behaviour of one that calls
        return new Behaviour(what);
    }
}
