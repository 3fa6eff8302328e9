package skulk.runner.mlx.template;

import java.util.Optional;

/**
 * What has a frame of its own when it runs: the template, a block, a macro, a call block's body, a recursive loop. In
 * Jinja each is one Python function.
 */
final class Unit {
    private final Optional<Unit> parent;
    private int size;

    Unit(Optional<Unit> parent) {
        this.parent = parent;
    }

    /** A variable in a slot of the unit's frame. */
    static final class Variable {
        private final Unit unit;
        private final int slot;

        private Variable(Unit unit, int slot) {
            this.unit = unit;
            this.slot = slot;
        }

        int slot() {
            return slot;
        }
    }

    Variable newVariable() {
        return new Variable(this, size++);
    }

    /** How many slots its frames need; final once the unit is compiled. */
    int size() {
        return size;
    }

    /** How many frames up the variable is from a frame of this unit. */
    int distance(Variable variable) {
        int levels = 0;
        Unit unit = this;
        while (unit != variable.unit) {
            unit = unit.parent.orElseThrow(() -> new IllegalStateException("variable of a foreign unit"));
            levels++;
        }
        return levels;
    }
}
