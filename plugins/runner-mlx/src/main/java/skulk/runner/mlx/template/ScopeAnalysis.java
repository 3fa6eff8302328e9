package skulk.runner.mlx.template;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Finds the names that statements read and set: the visitors of jinja2/idtracking.py and compiler.py. */
final class ScopeAnalysis {
    private Scope scope;

    private ScopeAnalysis(Scope scope) {
        this.scope = scope;
    }

    static void analyze(Scope scope, List<? extends Node> nodes) {
        ScopeAnalysis analysis = new ScopeAnalysis(scope);
        nodes.forEach(analysis::visit);
    }

    /** Declares the names of a target as given from outside, as a loop does. */
    static void declare(Scope scope, Target target) {
        switch (target) {
            case Target.NameTarget name -> scope.parameter(name.name());
            case Target.TupleTarget tuple -> tuple.items().forEach(item -> declare(scope, item));
            case Target.AttributeTarget attribute -> scope.load(attribute.name());
        }
    }

    private void visitAll(List<? extends Node> nodes) {
        nodes.forEach(this::visit);
    }

    private void visit(Node node) {
        switch (node) {
            case Expr.Name name -> scope.load(name.name());
            case Expr expression -> visitAll(expression.children());
            case Target.NameTarget name -> scope.store(name.name());
            case Target.AttributeTarget attribute -> scope.load(attribute.name());
            case Target.TupleTarget tuple -> visitAll(tuple.items());
            case Stmt.If statement -> visitIf(statement);
            case Stmt.Macro macro -> scope.store(macro.name());
            case Stmt.Assign assign -> {
                visit(assign.value());
                visit(assign.target());
            }
            case Stmt.AssignBlock assign -> visit(assign.target());
            case Stmt.For loop -> visit(loop.items());
            case Stmt.CallBlock block -> visit(block.call());
            case Stmt.FilterBlock block -> visit(block.filter());
            case Stmt.With with -> visitAll(with.values());
            case Stmt.Block _, Stmt.Autoescape _, Stmt.Generation _ -> {
                // a scope of its own
            }
            case Stmt.Print _, Stmt.Do _, Stmt.Data _, Stmt.Break _, Stmt.Continue _ -> visitAll(node.children());
        }
    }

    private void visitIf(Stmt.If statement) {
        visit(statement.test());
        Scope outer = scope;
        List<Scope> branches = List.of(
                branch(outer, statement.body()),
                branch(outer, statement.elifs()),
                branch(outer, statement.otherwise()));
        scope = outer;
        scope.merge(branches);
    }

    private Scope branch(Scope outer, List<? extends Node> nodes) {
        scope = outer.copy();
        visitAll(nodes);
        return scope;
    }

    /** Which of the names are read before they are set. */
    static Set<String> undeclared(List<? extends Node> nodes, String... names) {
        Set<String> open = new HashSet<>(Set.of(names));
        Set<String> found = new HashSet<>();
        nodes.forEach(node -> undeclared(node, open, found));
        return found;
    }

    private static void undeclared(Node node, Set<String> open, Set<String> found) {
        switch (node) {
            case Expr.Name name when open.contains(name.name()) -> found.add(name.name());
            case Target.NameTarget name -> open.remove(name.name());
            case Stmt.Block _ -> {
                // looks names up by itself
            }
            default -> node.children().forEach(child -> undeclared(child, open, found));
        }
    }

    /** Refuses what sets the variable {@code loop} inside a loop. */
    static void checkLoopNotSet(Node node) {
        switch (node) {
            case Target.NameTarget name
            when name.name().equals("loop") ->
                throw new TemplateSyntaxException(
                        "Can't assign to special loop variable in for-loop target", name.line());
            case Stmt.With with -> with.body().forEach(ScopeAnalysis::checkLoopNotSet);
            case Stmt.Macro macro -> macro.routine().body().forEach(ScopeAnalysis::checkLoopNotSet);
            case Stmt.CallBlock block -> block.routine().body().forEach(ScopeAnalysis::checkLoopNotSet);
            default -> node.children().forEach(ScopeAnalysis::checkLoopNotSet);
        }
    }
}
