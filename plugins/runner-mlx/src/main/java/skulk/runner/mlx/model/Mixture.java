package skulk.runner.mlx.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import skulk.runner.mlx.kernel.Activation;
import skulk.runner.mlx.kernel.Product;
import skulk.runner.mlx.kernel.TileMatrix;
import skulk.runner.mlx.model.Cut.Range;

/**
 * A mixture of gated feed-forward experts: every token goes through the few that its router picks, and their outputs
 * are added in the order of the router's preference.
 *
 * @param gate the router's linear layer
 * @param biases per expert, for gate, up and down, if the family has them
 * @param partial experts hold a share of their inner features
 */
record Mixture(
        Linear gate,
        Router router,
        Activation activation,
        List<TileMatrix> gates,
        List<TileMatrix> ups,
        List<TileMatrix> downs,
        Optional<Biases> biases,
        boolean partial)
        implements FeedForward {

    /** Biases by expert. */
    record Biases(float[][] gate, float[][] up, float[][] down) {}

    /**
     * Sizes and names of the experts.
     *
     * @param path below which {@code gate_proj}, {@code up_proj}, {@code down_proj} hold all experts
     * @param router path of the router
     */
    record Config(String path, String router, int hidden, int inner, int experts, boolean bias) {}

    static Mixture load(Weights w, Config c, Router router, Activation activation) {
        Range features = w.shares().features(c.inner);
        Cut in = Cut.rows(c.hidden, features);
        Cut out = new Cut(List.of(new Range(0, c.hidden)), features);
        Optional<Biases> biases = c.bias
                ? Optional.of(new Biases(
                        biases(w, c.path + ".gate_proj.bias", c.experts, c.inner, features),
                        biases(w, c.path + ".up_proj.bias", c.experts, c.inner, features),
                        biases(w, c.path + ".down_proj.bias", c.experts, c.hidden, new Range(0, c.hidden))))
                : Optional.empty();
        return new Mixture(
                w.linear(c.router, c.experts, c.hidden),
                router,
                activation,
                w.experts(c.path + ".gate_proj", c.experts, c.inner, c.hidden, in),
                w.experts(c.path + ".up_proj", c.experts, c.inner, c.hidden, in),
                w.experts(c.path + ".down_proj", c.experts, c.hidden, c.inner, out),
                biases,
                w.shares().shard().tensorRanks() > 1);
    }

    private static float[][] biases(Weights w, String name, int experts, int size, Range range) {
        var tensor = w.tensor(name).expect(experts, size);
        float[][] out = new float[experts][];
        for (int e = 0; e < experts; e++) {
            out[e] = tensor.floats((long) e * size + range.from(), range.size());
        }
        return out;
    }

    @Override
    public Rows run(Ops ops, Rows x) {
        Picks picks = pick(ops, x);
        int inner = gates.getFirst().rows();
        Rows gathered = ops.rows(picks.size(), x.width());
        for (int i = 0; i < picks.size(); i++) {
            int row = picks.order[i] / router.used();
            System.arraycopy(x.data(), x.at(row), gathered.data(), gathered.at(i), x.width());
        }
        Rows both = ops.rows(picks.size(), 2 * inner);
        List<Product.Unit> units = new ArrayList<>();
        picks.forExperts((expert, from, count) -> {
            units.add(unit(gates.get(expert), gathered, from, count, both, 0));
            units.add(unit(ups.get(expert), gathered, from, count, both, inner));
        });
        ops.products(units);
        biases.ifPresent(b -> picks.forExperts((expert, from, count) -> {
            addBias(ops, both, from, count, b.gate[expert], 0);
            addBias(ops, both, from, count, b.up[expert], inner);
        }));
        Rows acted = ops.gate(both, activation);
        Rows outs = ops.rows(picks.size(), x.width());
        units.clear();
        picks.forExperts((expert, from, count) -> units.add(unit(downs.get(expert), acted, from, count, outs, 0)));
        boolean complete = !partial || ops.backend().rounds();
        ops.productsInto(units, outs, partial && complete);
        if (complete) {
            biases.ifPresent(
                    b -> picks.forExperts((expert, from, count) -> addBias(ops, outs, from, count, b.down[expert], 0)));
        }
        return combine(ops, x, picks, outs, complete);
    }

    private static Product.Unit unit(TileMatrix m, Rows x, int from, int count, Rows y, int col) {
        return new Product.Unit(m, x.data(), x.at(from), x.width(), count, y.data(), y.at(from) + col, y.width());
    }

    private static void addBias(Ops ops, Rows rows, int from, int count, float[] bias, int col) {
        for (int row = from; row < from + count; row++) {
            int at = rows.at(row) + col;
            for (int i = 0; i < bias.length; i++) {
                rows.data()[at + i] = ops.narrow(rows.data()[at + i] + bias[i]);
            }
        }
    }

    private Picks pick(Ops ops, Rows x) {
        Rows logits = ops.linearExact(x, gate);
        int used = router.used();
        int[] experts = new int[x.count() * used];
        float[] weights = new float[x.count() * used];
        for (int row = 0; row < x.count(); row++) {
            router.route(ops.backend().rows(), logits.data(), logits.at(row), experts, weights, row * used);
        }
        return Picks.of(experts, weights, gates.size());
    }

    /** @param complete outputs of experts are whole; otherwise what they add up to is summed over the ranks */
    private Rows combine(Ops ops, Rows x, Picks picks, Rows outs, boolean complete) {
        Rows y = ops.rows(x.count(), x.width());
        Arrays.fill(y.data(), 0, y.count() * y.width(), 0);
        int used = router.used();
        for (int k = 0; k < picks.size(); k++) {
            int from = outs.at(picks.place[k]);
            if (ops.backend().rounds() && router.wide()) {
                addWide(y, k / used, outs.data(), from, picks.weights[k]);
            } else {
                ops.addRow(y, k / used, outs.data(), from, picks.weights[k]);
            }
        }
        if (ops.backend().rounds() && router.wide()) {
            ops.narrow(y);
        }
        if (!complete) {
            ops.reduce(y);
            biases.ifPresent(b -> {
                for (int k = 0; k < picks.size(); k++) {
                    ops.addRow(y, k / used, b.down[picks.experts[k]], 0, picks.weights[k]);
                }
            });
        }
        return y;
    }

    /** Products and sums in floats. */
    private static void addWide(Rows y, int row, float[] values, int from, float weight) {
        for (int i = 0; i < y.width(); i++) {
            float product = values[from + i] * weight;
            y.data()[y.at(row) + i] += product;
        }
    }

    /**
     * Which experts the tokens go to; entry {@code row * used + k} is the {@code k}-th choice of a row.
     *
     * @param order entries sorted by expert
     * @param place where an entry is in that order
     * @param ends per expert, the end of its entries in that order
     */
    private record Picks(int[] experts, float[] weights, int[] order, int[] place, int[] ends) {
        static Picks of(int[] experts, float[] weights, int count) {
            int[] ends = new int[count];
            for (int expert : experts) {
                ends[expert]++;
            }
            for (int e = 1; e < count; e++) {
                ends[e] += ends[e - 1];
            }
            int[] next = new int[count];
            System.arraycopy(ends, 0, next, 1, count - 1);
            int[] order = new int[experts.length];
            int[] place = new int[experts.length];
            for (int i = 0; i < experts.length; i++) {
                place[i] = next[experts[i]]++;
                order[place[i]] = i;
            }
            return new Picks(experts, weights, order, place, ends);
        }

        int size() {
            return experts.length;
        }

        void forExperts(ExpertJob job) {
            int from = 0;
            for (int e = 0; e < ends.length; e++) {
                if (ends[e] > from) {
                    job.run(e, from, ends[e] - from);
                }
                from = ends[e];
            }
        }
    }

    private interface ExpertJob {
        void run(int expert, int from, int count);
    }
}
