package skulk.runner.mlx.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import skulk.runner.mlx.template.Step.Signal;
import skulk.runner.mlx.template.Target.NameTarget;

/** Compiles macros and the bodies of call blocks. */
final class MacroCompiler {
    private final TemplateCompiler statements;

    MacroCompiler(TemplateCompiler statements) {
        this.statements = statements;
    }

    Step macro(Stmt.Macro macro, Scoping at) {
        MacroValue.Definition definition = definition(macro.name(), macro.routine(), macro.line(), at);
        int slot = at.scope().ref(macro.name()).slot();
        boolean exported = at.topLevel();
        return frame -> {
            MacroValue value = new MacroValue(definition, frame);
            frame.slots[slot] = value;
            if (exported) {
                frame.render.export(macro.name(), value);
            }
            return Signal.NEXT;
        };
    }

    Step callBlock(Stmt.CallBlock block, Scoping at) {
        MacroValue.Definition definition = definition("", block.routine(), block.line(), at);
        Code call = ExpressionCompiler.call(block.call(), at, frame -> new MacroValue(definition, frame));
        return frame -> {
            frame.out.add(Repr.str(call.eval(frame), frame.render));
            return Signal.NEXT;
        };
    }

    Step generation(Stmt.Generation generation, Scoping at) {
        MacroValue.Definition definition = definition("", generation.routine(), generation.line(), at);
        return frame -> {
            Object text = new MacroValue(definition, frame).call(frame.render, Args.NONE);
            frame.out.add((String) text);
            return Signal.NEXT;
        };
    }

    private MacroValue.Definition definition(String name, Stmt.Routine routine, int line, Scoping at) {
        Unit unit = new Unit(Optional.of(at.unit()));
        Scoping inner = at.inner(unit, false);
        List<String> parameters =
                routine.parameters().stream().map(NameTarget::name).toList();
        // The slots of the parameters come first, in order: that is how a call hands them over.
        parameters.forEach(inner.scope()::parameter);
        List<String> special = special(routine, parameters, line);
        special.forEach(inner.scope()::parameter);
        ScopeAnalysis.analyze(inner.scope(), routine.defaults());
        ScopeAnalysis.analyze(inner.scope(), routine.body());
        List<Step> steps = new ArrayList<>(List.of(TemplateCompiler.enter(inner.scope())));
        for (int i = 0; i < parameters.size(); i++) {
            steps.add(defaultValue(routine, i, inner));
        }
        steps.add(statements.statements(routine.body(), inner));
        return new MacroValue.Definition(name, parameters, special, unit, TemplateCompiler.sequence(steps));
    }

    private static List<String> special(Stmt.Routine routine, List<String> parameters, int line) {
        Set<String> used = ScopeAnalysis.undeclared(routine.body(), "caller", "kwargs", "varargs");
        List<String> special = new ArrayList<>();
        int firstDefault = parameters.size() - routine.defaults().size();
        for (String name : List.of("caller", "kwargs", "varargs")) {
            if (used.contains(name) && !parameters.contains(name)) {
                special.add(name);
            }
        }
        if (used.contains("caller") && parameters.contains("caller") && parameters.indexOf("caller") < firstDefault) {
            throw new TemplateSyntaxException(
                    "When defining macros or call blocks the special \"caller\" argument must be omitted or be given"
                            + " a default.",
                    line);
        }
        return special;
    }

    private static Step defaultValue(Stmt.Routine routine, int index, Scoping inner) {
        String name = routine.parameters().get(index).name();
        int slot = inner.scope().ref(name).slot();
        int position = index - (routine.parameters().size() - routine.defaults().size());
        Undefined missing = new Undefined("parameter " + Repr.quote(name) + " was not provided");
        Code value = position < 0
                ? _ -> missing
                : ExpressionCompiler.compile(routine.defaults().get(position), inner);
        return frame -> {
            if (frame.slots[slot] == Missing.MISSING) {
                frame.slots[slot] = value.eval(frame);
            }
            return Signal.NEXT;
        };
    }
}
