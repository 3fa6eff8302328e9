package skulk.runner.mlx.model;

/**
 * This rank's place in a chain of ranks that each hold some layers: hidden rows go from rank to rank, and the rows whose
 * logits are wanted return from the last to the first, which has the output head.
 *
 * @param layered the model is split by layers
 */
record Pipeline(Collectives links, boolean layered) {

    /** Holds the first layer, the embedding and the head. */
    boolean first() {
        return !layered || links.rank() == 0;
    }

    /** Holds the last layer. */
    boolean last() {
        return !layered || links.rank() == links.ranks() - 1;
    }

    /** Hidden rows of the step from the rank before. */
    Rows receive(Ops ops, int width) {
        Rows rows = ops.rows(ops.step().rows(), width);
        links.receive(links.rank() - 1, rows.data(), 0, rows.count() * width);
        return rows;
    }

    /** Hands hidden rows on, from the last rank those that are wanted; one value says that a step without any is done. */
    void pass(Rows hidden, Rows wanted) {
        if (!layered || links.ranks() == 1) {
            return;
        }
        if (!last()) {
            links.send(links.rank() + 1, hidden.data(), 0, hidden.count() * hidden.width());
        } else if (wanted.count() > 0) {
            links.send(0, wanted.data(), 0, wanted.count() * wanted.width());
        } else {
            links.send(0, hidden.data(), 0, 1);
        }
    }

    /** The wanted rows after the last layer, on the first rank; other steps may have begun since this one. */
    Rows collect(Ops ops, Rows wanted) {
        if (!layered || links.ranks() == 1 || !first()) {
            return wanted;
        }
        ops.begin(ops.step(), false);
        Rows rows = ops.rows(Math.max(1, wanted.count()), wanted.width());
        links.receive(links.ranks() - 1, rows.data(), 0, wanted.count() == 0 ? 1 : wanted.count() * wanted.width());
        return new Rows(rows.data(), wanted.count(), wanted.width());
    }
}
