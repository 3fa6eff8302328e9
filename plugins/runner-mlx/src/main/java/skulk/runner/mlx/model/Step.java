package skulk.runner.mlx.model;

import java.util.List;
import skulk.runner.mlx.model.Batch.Slice;

/**
 * One step, laid out by rows: row {@code r} is token {@code positions[r]} of {@code sequences[slices[r]]}. The sequences
 * have already grown.
 *
 * @param slices the batch's slices
 * @param starts first row of each slice, and the number of rows at the end
 * @param positions position of each row in its sequence
 * @param maxEnd largest position plus one
 * @param wanted the rows whose logits are asked for, ascending
 */
record Step(List<Slice> slices, int[] starts, int[] positions, int maxEnd, int[] wanted) {

    /** Lays a batch out; the sequences have not grown yet. */
    static Step of(Batch batch) {
        int[] starts = new int[batch.slices().size() + 1];
        int[] positions = new int[batch.rows()];
        int maxEnd = 0;
        int row = 0;
        for (int i = 0; i < batch.slices().size(); i++) {
            Slice slice = batch.slices().get(i);
            starts[i] = row;
            for (int t = 0; t < slice.tokens().length; t++) {
                positions[row++] = slice.sequence().length() + t;
            }
            maxEnd = Math.max(maxEnd, positions[row - 1] + 1);
        }
        starts[starts.length - 1] = row;
        int[] wanted =
                new int[batch.slices().stream().mapToInt(Slice::logitRows).sum()];
        int at = 0;
        for (int i = 0; i < batch.slices().size(); i++) {
            for (int r = starts[i + 1] - batch.slices().get(i).logitRows(); r < starts[i + 1]; r++) {
                wanted[at++] = r;
            }
        }
        return new Step(batch.slices(), starts, positions, maxEnd, wanted);
    }

    int rows() {
        return positions.length;
    }

    /** The token of each row. */
    int[] tokens() {
        int[] out = new int[rows()];
        for (int i = 0; i < slices.size(); i++) {
            int[] tokens = slices.get(i).tokens();
            System.arraycopy(tokens, 0, out, starts[i], tokens.length);
        }
        return out;
    }

    PagedSequence sequence(int slice) {
        return (PagedSequence) slices.get(slice).sequence();
    }

    /** Which slice a row belongs to. */
    int sliceOf(int row) {
        int slice = 0;
        while (row >= starts[slice + 1]) {
            slice++;
        }
        return slice;
    }
}
