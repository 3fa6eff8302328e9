package skulk.runner.mlx.template;

import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.OptionalInt;
import skulk.runner.mlx.template.Step.Signal;

/** Compiles for loops. */
final class LoopCompiler {
    private final TemplateCompiler statements;

    LoopCompiler(TemplateCompiler statements) {
        this.statements = statements;
    }

    /**
     * The parts of a loop.
     *
     * @param target takes each item
     * @param enter gives the variables of the body their first values
     * @param loop the slot of the loop variable, where the body uses it
     */
    private record Parts(
            Assignments.Store target,
            Step enter,
            Step body,
            Optional<Step> otherwise,
            Optional<Condition> condition,
            OptionalInt loop) {}

    /** The condition of a loop, which sees the target under variables of its own. */
    private record Condition(Assignments.Store target, Step enter, Code test) {}

    Step compile(Stmt.For loop, Scoping at) {
        ScopeAnalysis.checkLoopNotSet(loop);
        Code items = ExpressionCompiler.compile(loop.items(), at);
        if (!loop.recursive()) {
            Parts parts = parts(loop, at, at.unit());
            return frame -> run(parts, items.eval(frame), LoopContext::flat, frame);
        }
        Unit unit = new Unit(Optional.of(at.unit()));
        Parts parts = parts(loop, at, unit);
        return frame -> {
            frame.out.add(recurse(parts, unit, frame, items.eval(frame), 0));
            return Signal.NEXT;
        };
    }

    private Parts parts(Stmt.For loop, Scoping at, Unit unit) {
        boolean extended = loop.recursive() || usesLoop(loop);
        Scoping body = at.inner(unit, true);
        OptionalInt slot =
                extended ? OptionalInt.of(body.scope().parameter("loop").slot()) : OptionalInt.empty();
        ScopeAnalysis.declare(body.scope(), loop.target());
        ScopeAnalysis.analyze(body.scope(), loop.body());
        Optional<Condition> condition = loop.test().map(test -> {
            Scoping inner = at.inner(unit, false);
            ScopeAnalysis.declare(inner.scope(), loop.target());
            ScopeAnalysis.analyze(inner.scope(), List.of(test));
            Code compiled = ExpressionCompiler.compile(test, inner);
            return new Condition(Assignments.store(loop.target(), inner), enter(inner), compiled);
        });
        Optional<Step> otherwise = Optional.empty();
        if (!loop.otherwise().isEmpty()) {
            Scoping inner = at.inner(unit, loop.recursive() ? false : at.inLoop());
            ScopeAnalysis.analyze(inner.scope(), loop.otherwise());
            Step steps = statements.statements(loop.otherwise(), inner);
            otherwise = Optional.of(TemplateCompiler.sequence(List.of(enter(inner), steps)));
        }
        Step steps = statements.statements(loop.body(), body);
        return new Parts(Assignments.store(loop.target(), body), enter(body), steps, otherwise, condition, slot);
    }

    private static boolean usesLoop(Stmt.For loop) {
        return !ScopeAnalysis.undeclared(loop.body(), "loop").isEmpty() || hasScopedBlock(loop);
    }

    private static boolean hasScopedBlock(Node node) {
        return node instanceof Stmt.Block block && block.scoped()
                || node.children().stream().anyMatch(LoopCompiler::hasScopedBlock);
    }

    private static Step enter(Scoping at) {
        return TemplateCompiler.enter(at.scope());
    }

    private static String recurse(Parts parts, Unit unit, Frame parent, Object items, int depth) {
        Render render = parent.render;
        render.enter();
        try {
            Frame frame = new Frame(unit.size(), parent, render);
            LoopContext.Recursion again = (inner, level) -> recurse(parts, unit, parent, inner, level);
            run(parts, items, iterable -> LoopContext.recursive(iterable, again, depth), frame);
            return frame.out.toString();
        } finally {
            render.leave();
        }
    }

    /** Makes the loop variable for an iterable. */
    private interface LoopFactory {
        LoopContext over(Object iterable);
    }

    private static Signal run(Parts parts, Object items, LoopFactory factory, Frame frame) {
        Object iterable = parts.condition()
                .<Object>map(condition -> PyIterator.generator(filtered(condition, items, frame)))
                .orElse(items);
        LoopContext loop = factory.over(iterable);
        boolean completed = false;
        while (loop.hasNext()) {
            frame.render.step();
            parts.target().put(frame, loop.next());
            parts.loop().ifPresent(slot -> frame.slots[slot] = loop);
            parts.enter().run(frame);
            Signal signal = parts.body().run(frame);
            if (signal == Signal.BREAK) {
                break;
            }
            completed |= signal == Signal.NEXT;
        }
        // Jinja runs the else branch unless one round has run to its end.
        return completed || parts.otherwise().isEmpty()
                ? Signal.NEXT
                : parts.otherwise().get().run(frame);
    }

    private static Iterator<Object> filtered(Condition condition, Object items, Frame frame) {
        Iterator<Object> source = Types.iterate(items);
        condition.enter().run(frame);
        return new Iterator<>() {
            private Object found = Missing.MISSING;

            @Override
            public boolean hasNext() {
                while (found == Missing.MISSING && source.hasNext()) {
                    frame.render.step();
                    Object item = source.next();
                    condition.target().put(frame, item);
                    if (Types.truthy(condition.test().eval(frame))) {
                        found = item;
                    }
                }
                return found != Missing.MISSING;
            }

            @Override
            public Object next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                Object item = found;
                found = Missing.MISSING;
                return item;
            }
        };
    }
}
