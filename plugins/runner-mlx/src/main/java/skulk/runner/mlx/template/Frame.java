package skulk.runner.mlx.template;

import java.util.Arrays;

/** The variables of one call of a unit, and the text it is writing. */
final class Frame {
    final Object[] slots;
    final Frame parent;
    final Render render;
    /** Where prints go; blocks that capture their text replace it for a while. */
    Text out;
    /** What the block that ends here has captured, for the filter behind it. */
    Object captured;

    Frame(int size, Frame parent, Render render) {
        this.slots = new Object[size];
        this.parent = parent;
        this.render = render;
        this.out = new Text(render);
        Arrays.fill(slots, Missing.MISSING);
    }

    Frame up(int levels) {
        Frame frame = this;
        for (int i = 0; i < levels; i++) {
            frame = frame.parent;
        }
        return frame;
    }
}
