package skulk.runner.mlx.grammar;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import skulk.runner.mlx.text.Vocabulary;

/**
 * The text tokens of a vocabulary as a tree of bytes, so that tokens with a common beginning are looked at once. Special tokens and ids without bytes are not in
 * it. Immutable; safe for use by several threads.
 */
final class TokenTrie {
    static final int ROOT = 0;

    private final byte[] label;
    private final int[] firstChild;
    private final int[] nextSibling;
    /** First index into {@link #tokens} of the tokens that end at a node; the next node's is where they stop. */
    private final int[] firstToken;

    private final int[] tokens;

    /** @param lengths of the tokens that are wanted, in bytes */
    TokenTrie(Vocabulary vocabulary, IntPredicate lengths) {
        Integer[] sorted = IntStream.range(0, vocabulary.size())
                .filter(id -> !vocabulary.special(id) && vocabulary.bytes(id).length > 0)
                .filter(id -> lengths.test(vocabulary.bytes(id).length))
                .boxed()
                .toArray(Integer[]::new);
        Arrays.sort(sorted, Comparator.comparing(vocabulary::bytes, Arrays::compareUnsigned));
        int most = 1
                + Arrays.stream(sorted)
                        .mapToInt(id -> vocabulary.bytes(id).length)
                        .sum();
        Growing out = new Growing(most, sorted.length);
        byte[] previous = {};
        for (int id : sorted) {
            out.add(id, vocabulary.bytes(id), previous);
            previous = vocabulary.bytes(id);
        }
        label = Arrays.copyOf(out.label, out.nodes);
        firstChild = Arrays.copyOf(out.firstChild, out.nodes);
        nextSibling = Arrays.copyOf(out.nextSibling, out.nodes);
        firstToken = Arrays.copyOf(out.firstToken, out.nodes + 1);
        firstToken[out.nodes] = out.tokenCount;
        tokens = out.tokens;
    }

    /** The byte that leads to a node. */
    int label(int node) {
        return label[node] & 0xff;
    }

    /** The first child, or 0. */
    int firstChild(int node) {
        return firstChild[node];
    }

    /** The next sibling, or 0. */
    int nextSibling(int node) {
        return nextSibling[node];
    }

    /** Adds the tokens that end at a node. */
    void tokensAt(int node, BitSet found) {
        for (int i = firstToken[node]; i < firstToken[node + 1]; i++) {
            found.set(tokens[i]);
        }
    }

    /** Nodes come in the order of a walk because tokens come sorted. */
    private static final class Growing {
        final byte[] label;
        final int[] firstChild;
        final int[] nextSibling;
        final int[] firstToken;
        final int[] tokens;
        int nodes = 1;
        int tokenCount;
        private int[] path = new int[16];
        private int[] lastChild;

        Growing(int most, int tokenTotal) {
            label = new byte[most];
            firstChild = new int[most];
            nextSibling = new int[most];
            firstToken = new int[most + 1];
            lastChild = new int[most];
            tokens = new int[tokenTotal];
        }

        void add(int id, byte[] bytes, byte[] previous) {
            if (bytes.length >= path.length) {
                path = Arrays.copyOf(path, bytes.length + 16);
            }
            int common = Arrays.mismatch(bytes, previous);
            common = common < 0 ? bytes.length : common;
            for (int i = common; i < bytes.length; i++) {
                path[i + 1] = child(path[i], bytes[i]);
            }
            tokens[tokenCount++] = id;
        }

        private int child(int parent, byte b) {
            int node = nodes++;
            label[node] = b;
            firstToken[node] = tokenCount;
            if (lastChild[parent] == 0) {
                firstChild[parent] = node;
            } else {
                nextSibling[lastChild[parent]] = node;
            }
            lastChild[parent] = node;
            return node;
        }
    }
}
