package skulk.runner.mlx.grammar;

import java.util.Arrays;

/**
 * A pushdown automaton over bytes, immutable. States belong to rules; a call edge runs another rule and comes back to a return state of its own rule, which is how
 * nested JSON is told apart. Epsilon edges are gone: every state lists all byte edges and calls reachable without reading.
 *
 * @param start first state of the outermost rule
 * @param byteEdges by state: triples of lowest byte, highest byte, next state
 * @param calls by state: pairs of called state, return state
 * @param ends by state: whether its rule may end here
 * @param distance by state: fewest bytes to the end of its rule
 */
record Grammar(int start, int[][] byteEdges, int[][] calls, boolean[] ends, int[] distance) {

    int states() {
        return ends.length;
    }

    /** The longest of the shortest ways to a rule's end: how much one token can at most put between here and the end, per rule it opens. */
    int longestDistance() {
        return Arrays.stream(distance)
                .filter(d -> d < GrammarBuilder.UNREACHABLE)
                .max()
                .orElse(0);
    }
}
