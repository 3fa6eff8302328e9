package skulk.runner.mlx.template;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import skulk.runner.mlx.template.CompiledTemplate.Body;
import skulk.runner.mlx.template.Step.Signal;
import skulk.runner.mlx.template.Unit.Variable;

/** Turns statements into steps, scope by scope as jinja2/compiler.py does. */
final class TemplateCompiler {
    private final Map<String, Stmt.Block> blocks = new LinkedHashMap<>();

    private TemplateCompiler() {}

    static CompiledTemplate compile(List<Stmt> template) {
        TemplateCompiler compiler = new TemplateCompiler();
        template.forEach(compiler::collectBlocks);
        Unit unit = new Unit(Optional.empty());
        Scope scope = Scope.root(unit);
        Step self = compiler.selfReference(scope, template);
        ScopeAnalysis.analyze(scope, template);
        Step main = sequence(List.of(self, compiler.entered(scope, template, Scoping.root(scope, true))));
        Map<String, Body> bodies = new HashMap<>();
        compiler.blocks.forEach((name, block) -> bodies.put(name, compiler.block(block)));
        return new CompiledTemplate(new Body(unit, main), bodies);
    }

    private void collectBlocks(Node node) {
        if (node instanceof Stmt.Block block && blocks.put(block.name(), block) != null) {
            throw new TemplateSyntaxException("block " + Repr.quote(block.name()) + " defined twice", block.line());
        }
        if (node instanceof Stmt) {
            node.children().forEach(this::collectBlocks);
        }
    }

    private Step selfReference(Scope scope, List<Stmt> body) {
        if (!ScopeAnalysis.undeclared(body, "self").contains("self")) {
            return _ -> Signal.NEXT;
        }
        int slot = scope.parameter("self").slot();
        return frame -> {
            frame.slots[slot] = new TemplateSelf();
            return Signal.NEXT;
        };
    }

    /** A block sees the context and what was set at the top level, not the scopes around it. */
    private Body block(Stmt.Block block) {
        Unit unit = new Unit(Optional.empty());
        Scope scope = Scope.root(unit);
        List<Step> steps = new ArrayList<>(List.of(selfReference(scope, block.body())));
        if (ScopeAnalysis.undeclared(block.body(), "super").contains("super")) {
            int slot = scope.parameter("super").slot();
            Undefined none = new Undefined("there is no parent block called " + Repr.quote(block.name()) + ".");
            steps.add(frame -> {
                frame.slots[slot] = none;
                return Signal.NEXT;
            });
        }
        ScopeAnalysis.analyze(scope, block.body());
        steps.add(entered(scope, block.body(), Scoping.root(scope, false)));
        return new Body(unit, sequence(steps));
    }

    /** The statements, after the scope's variables have got their first values. */
    private Step entered(Scope scope, List<Stmt> body, Scoping at) {
        Step steps = statements(body, at);
        Step enter = enter(scope);
        return frame -> {
            enter.run(frame);
            return steps.run(frame);
        };
    }

    static Step enter(Scope scope) {
        List<Step> steps = new ArrayList<>();
        scope.loads().forEach((variable, load) -> {
            int slot = variable.slot();
            Code value =
                    switch (load) {
                        case Scope.Load.Parameter() -> null;
                        case Scope.Load.Unset() -> _ -> Missing.MISSING;
                        case Scope.Load.Resolve(String name) -> frame -> frame.render.resolve(name);
                        case Scope.Load.Alias(Variable outer) -> ExpressionCompiler.raw(outer, scope.unit());
                    };
            if (value != null) {
                steps.add(frame -> {
                    frame.slots[slot] = value.eval(frame);
                    return Signal.NEXT;
                });
            }
        });
        return sequence(steps);
    }

    static Step sequence(List<Step> steps) {
        Step[] all = steps.toArray(Step[]::new);
        return frame -> {
            for (Step step : all) {
                Signal signal = step.run(frame);
                if (signal != Signal.NEXT) {
                    return signal;
                }
            }
            return Signal.NEXT;
        };
    }

    Step statements(List<Stmt> body, Scoping at) {
        Step[] steps = new Step[body.size()];
        int[] lines = new int[body.size()];
        for (int i = 0; i < steps.length; i++) {
            steps[i] = statement(body.get(i), at);
            lines[i] = body.get(i).line();
        }
        return frame -> {
            for (int i = 0; i < steps.length; i++) {
                frame.render.step();
                try {
                    Signal signal = steps[i].run(frame);
                    if (signal != Signal.NEXT) {
                        return signal;
                    }
                } catch (TemplateRenderException e) {
                    e.at(lines[i]);
                    throw e;
                }
            }
            return Signal.NEXT;
        };
    }

    private Step statement(Stmt statement, Scoping at) {
        return switch (statement) {
            case Stmt.Data data -> {
                String text = data.text();
                yield frame -> {
                    frame.out.add(text);
                    return Signal.NEXT;
                };
            }
            case Stmt.Print print -> print(ExpressionCompiler.compile(print.value(), at));
            case Stmt.Do step -> {
                Code value = ExpressionCompiler.compile(step.value(), at);
                yield frame -> {
                    value.eval(frame);
                    return Signal.NEXT;
                };
            }
            case Stmt.If branch -> branch(branch, at);
            case Stmt.For loop -> new LoopCompiler(this).compile(loop, at);
            case Stmt.Assign assign -> assign(assign, at);
            case Stmt.AssignBlock assign -> assignBlock(assign, at);
            case Stmt.FilterBlock block -> filterBlock(block, at);
            case Stmt.Macro macro -> new MacroCompiler(this).macro(macro, at);
            case Stmt.CallBlock block -> new MacroCompiler(this).callBlock(block, at);
            case Stmt.Generation generation -> new MacroCompiler(this).generation(generation, at);
            case Stmt.With with -> with(with, at);
            case Stmt.Autoescape autoescape -> autoescape(autoescape, at);
            case Stmt.Block block -> blockCall(block, at);
            case Stmt.Break _ -> loopControl(statement, Signal.BREAK, at);
            case Stmt.Continue _ -> loopControl(statement, Signal.CONTINUE, at);
        };
    }

    private static Step print(Code value) {
        return frame -> {
            frame.out.add(Repr.str(value.eval(frame), frame.render));
            return Signal.NEXT;
        };
    }

    private static Step loopControl(Stmt statement, Signal signal, Scoping at) {
        if (!at.inLoop()) {
            throw new TemplateSyntaxException(
                    "'" + (signal == Signal.BREAK ? "break" : "continue") + "' outside loop", statement.line());
        }
        return _ -> signal;
    }

    private Step branch(Stmt.If branch, Scoping at) {
        Scoping soft = at.softened();
        List<Code> tests = new ArrayList<>(List.of(ExpressionCompiler.compile(branch.test(), soft)));
        List<Step> bodies = new ArrayList<>(List.of(statements(branch.body(), soft)));
        for (Stmt.If elif : branch.elifs()) {
            tests.add(ExpressionCompiler.compile(elif.test(), soft));
            bodies.add(statements(elif.body(), soft));
        }
        Step otherwise = statements(branch.otherwise(), soft);
        return frame -> {
            for (int i = 0; i < tests.size(); i++) {
                if (Types.truthy(tests.get(i).eval(frame))) {
                    return bodies.get(i).run(frame);
                }
            }
            return otherwise.run(frame);
        };
    }

    private Step assign(Stmt.Assign assign, Scoping at) {
        Step check = Assignments.checkNamespaces(assign.target(), at);
        Code value = ExpressionCompiler.compile(assign.value(), at);
        Assignments.Store store = store(assign.target(), at);
        return frame -> {
            check.run(frame);
            store.put(frame, value.eval(frame));
            return Signal.NEXT;
        };
    }

    /** Assigns, and at the top level tells the blocks. */
    private Assignments.Store store(Target target, Scoping at) {
        Assignments.Store store = Assignments.store(target, at);
        if (!at.topLevel() || blocks.isEmpty()) {
            return store;
        }
        Set<String> names = Assignments.names(target);
        return (frame, value) -> {
            store.put(frame, value);
            names.forEach(name ->
                    frame.render.export(name, frame.slots[at.scope().ref(name).slot()]));
        };
    }

    /** Runs a body and keeps its text; then does something with it unless a break or continue cut it short. */
    static Step capture(Step body, Step then) {
        return frame -> {
            Text outer = frame.out;
            Signal signal;
            String text;
            try {
                frame.out = new Text(frame.render);
                signal = body.run(frame);
                text = frame.out.toString();
            } finally {
                frame.out = outer;
            }
            if (signal != Signal.NEXT) {
                return signal;
            }
            frame.captured = text;
            return then.run(frame);
        };
    }

    private Step assignBlock(Stmt.AssignBlock assign, Scoping at) {
        Scoping inner = at.inner();
        ScopeAnalysis.analyze(inner.scope(), assign.body());
        Code value = assign.filter()
                .map(filter -> ExpressionCompiler.compile(filter, inner))
                .orElse(frame -> frame.captured);
        Step check = Assignments.checkNamespaces(assign.target(), at);
        Assignments.Store store = store(assign.target(), at);
        return capture(entered(inner.scope(), assign.body(), inner), frame -> {
            Object text = value.eval(frame);
            check.run(frame);
            store.put(frame, text);
            return Signal.NEXT;
        });
    }

    private Step filterBlock(Stmt.FilterBlock block, Scoping at) {
        Scoping inner = at.inner();
        ScopeAnalysis.analyze(inner.scope(), block.body());
        ScopeAnalysis.analyze(inner.scope(), List.of(block.filter()));
        Code value = ExpressionCompiler.compile(block.filter(), inner);
        return capture(entered(inner.scope(), block.body(), inner), print(value));
    }

    private Step with(Stmt.With with, Scoping at) {
        Scoping inner = at.inner();
        with.targets().forEach(target -> ScopeAnalysis.declare(inner.scope(), target));
        ScopeAnalysis.analyze(inner.scope(), with.body());
        Step enter = enter(inner.scope());
        List<Step> assignments = new ArrayList<>();
        for (int i = 0; i < with.targets().size(); i++) {
            Code value = ExpressionCompiler.compile(with.values().get(i), at);
            Assignments.Store store = Assignments.store(with.targets().get(i), inner);
            assignments.add(frame -> {
                store.put(frame, value.eval(frame));
                return Signal.NEXT;
            });
        }
        return sequence(List.of(enter, sequence(assignments), statements(with.body(), inner)));
    }

    private Step autoescape(Stmt.Autoescape autoescape, Scoping at) {
        Scoping inner = at.inner();
        ScopeAnalysis.analyze(inner.scope(), List.of(autoescape.enabled()));
        ScopeAnalysis.analyze(inner.scope(), autoescape.body());
        Code enabled = ExpressionCompiler.compile(autoescape.enabled(), inner);
        Step enter = enter(inner.scope());
        Step body = statements(autoescape.body(), inner);
        return frame -> {
            enter.run(frame);
            if (Types.truthy(enabled.eval(frame))) {
                throw Errors.jinja("automatic escaping is not supported in chat templates");
            }
            return body.run(frame);
        };
    }

    private Step blockCall(Stmt.Block block, Scoping at) {
        if (block.required()) {
            throw new TemplateSyntaxException(
                    "Required block " + Repr.quote(block.name()) + " not found", block.line());
        }
        Map<String, Variable> visible = block.scoped() ? at.scope().visible() : Map.of();
        Map<String, Code> locals = new LinkedHashMap<>();
        visible.forEach((name, variable) -> locals.put(name, ExpressionCompiler.raw(variable, at.unit())));
        return frame -> {
            Map<String, Object> exported = frame.render.exported();
            Map<String, Object> saved = new HashMap<>(exported);
            locals.forEach((name, code) -> {
                Object value = code.eval(frame);
                if (value != Missing.MISSING) {
                    exported.put(name, value);
                }
            });
            frame.out.add(TemplateSelf.renderBlock(block.name(), frame.render));
            exported.clear();
            exported.putAll(saved);
            return Signal.NEXT;
        };
    }
}
