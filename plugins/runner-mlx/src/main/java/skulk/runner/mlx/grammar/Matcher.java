package skulk.runner.mlx.grammar;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import skulk.runner.mlx.text.Vocabulary;

/**
 * Runs a grammar over bytes, with memory: places met before have their transitions and token masks at hand. Shared by all sequences with the same grammar. One
 * thread.
 *
 * <p>What makes a mask cheap: within the rule on top of the stack most tokens are decided whatever lies below it, once per state of the automaton, and short
 * ones once for all states that do the same with so few bytes ({@link StateClasses}). Only tokens that leave the rule (a closing quote and what follows it) are
 * looked at with the whole stack.
 */
final class Matcher {
    /** Places remembered before all are forgotten; a place costs about 200 bytes, more once its transitions are known. */
    private static final int MAX_PLACES = 50_000;
    /** Whole masks remembered; 16 KB each at a vocabulary of 128k. */
    private static final int MAX_MASKS = 512;

    private final Grammar grammar;
    private final Tokens tokens;
    private final int[] classes;
    private final Map<Frame.Key, Frame> frames = new HashMap<>();
    private final Map<List<Frame>, Place> places = new HashMap<>();
    /** By class of state, then by state. */
    private final Map<Integer, Local> shortLocals = new HashMap<>();

    private final Map<Integer, Local> longLocals = new HashMap<>();
    private final Map<Place, BitSet> masks = new LinkedHashMap<>(64, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Place, BitSet> eldest) {
            return size() > MAX_MASKS;
        }
    };

    Matcher(Grammar grammar, Tokens tokens) {
        this.grammar = grammar;
        this.tokens = tokens;
        this.classes = StateClasses.of(grammar, Tokens.SHORT);
    }

    /** A vocabulary, its few long tokens apart from the many short ones. */
    record Tokens(TokenTrie shorts, TokenTrie longs) {
        /** Most bytes of a short token: of 128,000 tokens of Llama 3 some 600 are longer. */
        static final int SHORT = 20;

        static Tokens of(Vocabulary vocabulary) {
            return new Tokens(
                    new TokenTrie(vocabulary, length -> length <= SHORT),
                    new TokenTrie(vocabulary, length -> length > SHORT));
        }
    }

    /** One state with what to return to below it; equal frames are the same object. */
    static final class Frame {
        record Key(int state, Frame below) {}

        final int state;
        /** Null at the bottom. */
        final Frame below;
        /** Fewest bytes from here to the end of everything. */
        final int distance;

        final int id;

        Frame(int state, Frame below, int distance, int id) {
            this.state = state;
            this.below = below;
            this.distance = distance;
            this.id = id;
        }
    }

    /** Everywhere the grammar can be after some bytes; equal places are the same object. */
    static final class Place {
        final Frame[] tops;
        /** Whether the text may end here. */
        final boolean ended;

        final int distance;
        private final Place[] next = new Place[256];

        Place(Frame[] tops, boolean ended) {
            this.tops = tops;
            this.ended = ended;
            this.distance = ended
                    ? 0
                    : Arrays.stream(tops).mapToInt(f -> f.distance).min().orElse(GrammarBuilder.UNREACHABLE);
        }

        boolean dead() {
            return !ended && tops.length == 0;
        }
    }

    /** What the tokens do within one rule, from one state of it: those that stay inside or end with it, and the nodes of the trie at which they leave it. */
    private record Local(BitSet inside, int[] exits) {}

    Place start() {
        forgetIfFull();
        return place(grammar.start(), null);
    }

    private void forgetIfFull() {
        if (places.size() > MAX_PLACES) {
            frames.clear();
            places.clear();
            masks.clear();
        }
    }

    private Place place(int state, Frame below) {
        Expansion expansion = new Expansion();
        expansion.enter(state, below);
        return expansion.place();
    }

    Place step(Place from, int b) {
        Place known = from.next[b];
        if (known == null) {
            Expansion expansion = new Expansion();
            for (Frame top : from.tops) {
                int[] edges = grammar.byteEdges()[top.state];
                for (int i = 0; i < edges.length; i += 3) {
                    if (b >= edges[i] && b <= edges[i + 1]) {
                        expansion.enter(edges[i + 2], top.below);
                    }
                }
            }
            known = expansion.place();
            from.next[b] = known;
        }
        return known;
    }

    /** The place after a token; {@linkplain Place#dead() dead} where the grammar does not allow it. */
    Place step(Place from, byte[] token) {
        forgetIfFull();
        Place at = from;
        for (byte b : token) {
            at = step(at, b & 0xff);
        }
        return at;
    }

    /** The tokens that may come next; not to be changed. */
    BitSet mask(Place place) {
        BitSet known = masks.get(place);
        if (known != null) {
            return known;
        }
        BitSet mask = new BitSet();
        for (Frame top : place.tops) {
            Local shorts = shortLocals.computeIfAbsent(classes[top.state], any -> local(top.state, tokens.shorts()));
            Local longs = longLocals.computeIfAbsent(top.state, state -> local(state, tokens.longs()));
            mask.or(shorts.inside);
            mask.or(longs.inside);
            if (top.below != null) {
                Place outside = place(top.below.state, top.below.below);
                leave(outside, tokens.shorts(), shorts, mask);
                leave(outside, tokens.longs(), longs, mask);
            }
        }
        masks.put(place, mask);
        return mask;
    }

    private void leave(Place outside, TokenTrie trie, Local local, BitSet mask) {
        for (int node : local.exits) {
            walk(outside, trie, node, mask);
        }
    }

    private void walk(Place place, TokenTrie trie, int node, BitSet mask) {
        for (int child = trie.firstChild(node); child != 0; child = trie.nextSibling(child)) {
            Place next = step(place, trie.label(child));
            if (!next.dead()) {
                trie.tokensAt(child, mask);
                walk(next, trie, child, mask);
            }
        }
    }

    /** Walks the trie with nothing below the state: where that ends, the rule is left. */
    private Local local(int state, TokenTrie trie) {
        BitSet inside = new BitSet();
        List<Integer> exits = new ArrayList<>();
        // the state alone, not what its calls lead to: those are tops of their own
        Place alone = new Place(new Frame[] {new Frame(state, null, 0, -1)}, false);
        localWalk(alone, trie, TokenTrie.ROOT, new Found(inside, exits));
        return new Local(inside, exits.stream().mapToInt(Integer::intValue).toArray());
    }

    private record Found(BitSet inside, List<Integer> exits) {}

    private void localWalk(Place place, TokenTrie trie, int node, Found found) {
        for (int child = trie.firstChild(node); child != 0; child = trie.nextSibling(child)) {
            Place next = step(place, trie.label(child));
            if (!next.dead()) {
                trie.tokensAt(child, found.inside);
                if (next.ended) {
                    found.exits.add(child);
                }
                localWalk(next, trie, child, found);
            }
        }
    }

    /** Collects where calls and returns lead from some states without reading a byte. */
    private final class Expansion {
        private final Set<Frame> seen = new HashSet<>();
        private final List<Frame> tops = new ArrayList<>();
        private boolean ended;

        void enter(int state, Frame below) {
            Frame frame = frame(state, below);
            if (!seen.add(frame)) {
                return;
            }
            if (grammar.byteEdges()[state].length > 0) {
                tops.add(frame);
            }
            int[] calls = grammar.calls()[state];
            for (int i = 0; i < calls.length; i += 2) {
                enter(calls[i], frame(calls[i + 1], below));
            }
            if (grammar.ends()[state]) {
                if (below == null) {
                    ended = true;
                } else {
                    enter(below.state, below.below);
                }
            }
        }

        private Frame frame(int state, Frame below) {
            return frames.computeIfAbsent(new Frame.Key(state, below), key -> {
                int rest = below == null ? 0 : below.distance;
                int distance = Math.min(GrammarBuilder.UNREACHABLE, grammar.distance()[state] + rest);
                return new Frame(state, below, distance, frames.size());
            });
        }

        Place place() {
            tops.sort((a, b) -> Integer.compare(a.id, b.id));
            Frame[] array = tops.toArray(Frame[]::new);
            if (ended) {
                tops.add(null);
            }
            return places.computeIfAbsent(
                    List.copyOf(tops.stream().map(f -> f == null ? END : f).toList()), key -> new Place(array, ended));
        }
    }

    /** Stands for "may end" in the key of a place. */
    private static final Frame END = new Frame(-1, null, 0, -2);
}
