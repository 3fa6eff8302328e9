package skulk.runner.mlx.template;

import java.util.List;

/** A part of a parsed template. */
sealed interface Node permits Expr, Target, Stmt {
    int line();

    /** The parts of this part, in the order in which Jinja lists its fields. */
    List<? extends Node> children();
}
