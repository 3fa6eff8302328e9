package skulk.runner.mlx.template;

/**
 * Where in the template the compiler is.
 *
 * @param scope the names known here
 * @param topLevel whether what is set here is visible to blocks
 * @param soft whether this may never run, so that an unknown filter only fails when it does
 * @param inLoop whether a break or continue has a loop to act on
 */
record Scoping(Scope scope, boolean topLevel, boolean soft, boolean inLoop) {
    static Scoping root(Scope scope, boolean topLevel) {
        return new Scoping(scope, topLevel, false, false);
    }

    Unit unit() {
        return scope.unit();
    }

    /** A scope inside this one, in the same frame. */
    Scoping inner() {
        return inner(scope.unit(), inLoop);
    }

    Scoping inner(Unit unit, boolean loop) {
        return new Scoping(scope.child(unit), false, false, loop);
    }

    Scoping softened() {
        return new Scoping(scope, topLevel, true, inLoop);
    }
}
