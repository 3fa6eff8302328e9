package skulk.runner.mlx.model;

import java.util.Arrays;

/**
 * Which experts or groups are best, in the order that MLX leaves them in: that of C++'s {@code nth_element} as libstdc++
 * has it, with ties broken by the index. Sums that round after every addition depend on that order.
 *
 * @param keys of all, from {@code at} on
 * @param sign -1 for the largest first
 * @param order what is being sorted: indices
 */
record Selection(float[] keys, int at, int sign, int[] order) {

    /** Writes the indices of the {@code used} largest of {@code count} values, taken from the front of a descending order. */
    static void largestFirst(float[] values, int at, int count, int used, int[] out, int to) {
        System.arraycopy(of(values, at, count, -1, used - 1), 0, out, to, used);
    }

    /** The same, taken from the end of an ascending order, which differs in the order and in which of equal ones are taken. */
    static void largestLast(float[] values, int at, int count, int used, int[] out, int to) {
        System.arraycopy(of(values, at, count, 1, count - used), count - used, out, to, used);
    }

    /** The indices of the {@code used} smallest values. */
    static int[] smallest(float[] values, int used) {
        return used == 0 ? new int[0] : Arrays.copyOf(of(values, 0, values.length, 1, used - 1), used);
    }

    private static int[] of(float[] values, int at, int count, int sign, int kth) {
        int[] order = new int[count];
        Arrays.setAll(order, i -> i);
        new Selection(values, at, sign, order).select(kth);
        return order;
    }

    /** Puts the element that a full sort would have at {@code kth} there, smaller ones before it, larger ones after. */
    private void select(int kth) {
        int from = 0;
        int to = order.length;
        for (int depth = 2 * (31 - Integer.numberOfLeadingZeros(order.length)); to - from > 3 && depth > 0; depth--) {
            int cut = partition(from, to);
            if (cut <= kth) {
                from = cut;
            } else {
                to = cut;
            }
        }
        // after too many bad cuts C++ would build a heap; a sort selects the same elements
        sort(from, to);
    }

    private boolean less(int a, int b) {
        float x = sign * keys[at + a];
        float y = sign * keys[at + b];
        if (Float.isNaN(x) || Float.isNaN(y)) {
            return !Float.isNaN(x);
        }
        return x < y || x == y && a < b;
    }

    /** Splits around the median of the second, the middle and the last element. */
    private int partition(int from, int to) {
        medianToFirst(from, from + 1, from + (to - from) / 2, to - 1);
        int low = from + 1;
        int high = to;
        while (true) {
            while (less(order[low], order[from])) {
                low++;
            }
            high--;
            while (less(order[from], order[high])) {
                high--;
            }
            if (low >= high) {
                return low;
            }
            swap(low, high);
            low++;
        }
    }

    private void medianToFirst(int first, int a, int b, int c) {
        boolean ab = less(order[a], order[b]);
        boolean bc = less(order[b], order[c]);
        boolean ac = less(order[a], order[c]);
        if (ab) {
            swap(first, bc ? b : ac ? c : a);
        } else {
            swap(first, ac ? a : bc ? c : b);
        }
    }

    private void sort(int from, int to) {
        for (int i = from + 1; i < to; i++) {
            int moved = order[i];
            int place = i;
            while (place > from && less(moved, order[place - 1])) {
                order[place] = order[place - 1];
                place--;
            }
            order[place] = moved;
        }
    }

    private void swap(int i, int j) {
        int held = order[i];
        order[i] = order[j];
        order[j] = held;
    }
}
