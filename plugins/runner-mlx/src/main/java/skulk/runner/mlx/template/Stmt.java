package skulk.runner.mlx.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A statement of the syntax tree; the records mirror jinja2/nodes.py. */
sealed interface Stmt extends Node {
    record Data(String text, int line) implements Stmt {
        @Override
        public List<Node> children() {
            return List.of();
        }
    }

    record Print(Expr value, int line) implements Stmt {
        @Override
        public List<Expr> children() {
            return List.of(value);
        }
    }

    record For(
            Target target,
            Expr items,
            List<Stmt> body,
            List<Stmt> otherwise,
            Optional<Expr> test,
            boolean recursive,
            int line)
            implements Stmt {
        @Override
        public List<Node> children() {
            List<Node> all = new ArrayList<>(List.of(target, items));
            all.addAll(body);
            all.addAll(otherwise);
            test.ifPresent(all::add);
            return all;
        }
    }

    /** An {@code elif} is an If of its own with neither further branches nor an else. */
    record If(Expr test, List<Stmt> body, List<If> elifs, List<Stmt> otherwise, int line) implements Stmt {
        @Override
        public List<Node> children() {
            List<Node> all = new ArrayList<>(List.of(test));
            all.addAll(body);
            all.addAll(elifs);
            all.addAll(otherwise);
            return all;
        }
    }

    record Assign(Target target, Expr value, int line) implements Stmt {
        @Override
        public List<Node> children() {
            return List.of(target, value);
        }
    }

    record AssignBlock(Target target, Optional<Expr> filter, List<Stmt> body, int line) implements Stmt {
        @Override
        public List<Node> children() {
            List<Node> all = new ArrayList<>(List.of(target));
            filter.ifPresent(all::add);
            all.addAll(body);
            return all;
        }
    }

    /** The parameters and body that a macro and a call block share. */
    record Routine(List<Target.NameTarget> parameters, List<Expr> defaults, List<Stmt> body) {
        List<Node> children() {
            List<Node> all = new ArrayList<>(parameters);
            all.addAll(defaults);
            all.addAll(body);
            return all;
        }
    }

    record Macro(String name, Routine routine, int line) implements Stmt {
        @Override
        public List<Node> children() {
            return routine.children();
        }
    }

    record CallBlock(Expr.Call call, Routine routine, int line) implements Stmt {
        @Override
        public List<Node> children() {
            List<Node> all = new ArrayList<>(List.of(call));
            all.addAll(routine.children());
            return all;
        }
    }

    /** Hugging Face's mark around what the assistant wrote: a call block that calls its body. */
    record Generation(Routine routine, int line) implements Stmt {
        @Override
        public List<Node> children() {
            return routine.children();
        }
    }

    record FilterBlock(List<Stmt> body, Expr filter, int line) implements Stmt {
        @Override
        public List<Node> children() {
            List<Node> all = new ArrayList<>(body);
            all.add(filter);
            return all;
        }
    }

    record With(List<Target> targets, List<Expr> values, List<Stmt> body, int line) implements Stmt {
        @Override
        public List<Node> children() {
            List<Node> all = new ArrayList<>(targets);
            all.addAll(values);
            all.addAll(body);
            return all;
        }
    }

    /** A scope that asks for automatic escaping or the lack of it. */
    record Autoescape(Expr enabled, List<Stmt> body, int line) implements Stmt {
        @Override
        public List<Node> children() {
            List<Node> all = new ArrayList<>(List.of(enabled));
            all.addAll(body);
            return all;
        }
    }

    record Block(String name, List<Stmt> body, boolean scoped, boolean required, int line) implements Stmt {
        @Override
        public List<Stmt> children() {
            return body;
        }
    }

    /** {@code do}: an expression whose value is dropped. */
    record Do(Expr value, int line) implements Stmt {
        @Override
        public List<Expr> children() {
            return List.of(value);
        }
    }

    record Break(int line) implements Stmt {
        @Override
        public List<Node> children() {
            return List.of();
        }
    }

    record Continue(int line) implements Stmt {
        @Override
        public List<Node> children() {
            return List.of();
        }
    }
}
