package skulk.runner.mlx.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** An expression of the syntax tree; the records mirror jinja2/nodes.py. */
sealed interface Expr extends Node {
    record Const(Object value, int line) implements Expr {
        @Override
        public List<Node> children() {
            return List.of();
        }
    }

    record Name(String name, int line) implements Expr {
        @Override
        public List<Node> children() {
            return List.of();
        }
    }

    record TupleLiteral(List<Expr> items, int line) implements Expr {
        @Override
        public List<Expr> children() {
            return items;
        }
    }

    record ListLiteral(List<Expr> items, int line) implements Expr {
        @Override
        public List<Expr> children() {
            return items;
        }
    }

    /** Keys and values in turn. */
    record DictLiteral(List<Expr> entries, int line) implements Expr {
        @Override
        public List<Expr> children() {
            return entries;
        }
    }

    record Conditional(Expr test, Expr then, Optional<Expr> otherwise, int line) implements Expr {
        @Override
        public List<Expr> children() {
            List<Expr> all = new ArrayList<>(List.of(test, then));
            otherwise.ifPresent(all::add);
            return all;
        }
    }

    /** A filter, or a test, applied to a value; a filter block has no value of its own. */
    record Apply(boolean isTest, Optional<Expr> value, String name, Arguments arguments, int line) implements Expr {
        @Override
        public List<Expr> children() {
            List<Expr> all = new ArrayList<>();
            value.ifPresent(all::add);
            all.addAll(arguments.children());
            return all;
        }
    }

    record Call(Expr function, Arguments arguments, int line) implements Expr {
        @Override
        public List<Expr> children() {
            List<Expr> all = new ArrayList<>(List.of(function));
            all.addAll(arguments.children());
            return all;
        }
    }

    /** Not an expression itself: what stands between the parentheses of a call. */
    record Arguments(List<Expr> positional, List<Named> named, Optional<Expr> more, Optional<Expr> moreNamed) {
        static final Arguments NONE = new Arguments(List.of(), List.of(), Optional.empty(), Optional.empty());

        List<Expr> children() {
            List<Expr> all = new ArrayList<>(positional);
            named.forEach(argument -> all.add(argument.value()));
            more.ifPresent(all::add);
            moreNamed.ifPresent(all::add);
            return all;
        }
    }

    record Named(String name, Expr value) {}

    record GetItem(Expr object, Expr key, int line) implements Expr {
        @Override
        public List<Expr> children() {
            return List.of(object, key);
        }
    }

    record GetAttribute(Expr object, String name, int line) implements Expr {
        @Override
        public List<Expr> children() {
            return List.of(object);
        }
    }

    record Slice(Optional<Expr> start, Optional<Expr> stop, Optional<Expr> step, int line) implements Expr {
        @Override
        public List<Expr> children() {
            List<Expr> all = new ArrayList<>();
            start.ifPresent(all::add);
            stop.ifPresent(all::add);
            step.ifPresent(all::add);
            return all;
        }
    }

    record Concat(List<Expr> parts, int line) implements Expr {
        @Override
        public List<Expr> children() {
            return parts;
        }
    }

    /** A chain of comparisons: {@code operators.get(i)} stands before {@code operands.get(i + 1)}. */
    record Comparison(List<Expr> operands, List<String> operators, int line) implements Expr {
        @Override
        public List<Expr> children() {
            return operands;
        }
    }

    record Binary(String operator, Expr left, Expr right, int line) implements Expr {
        @Override
        public List<Expr> children() {
            return List.of(left, right);
        }
    }

    record Unary(String operator, Expr operand, int line) implements Expr {
        @Override
        public List<Expr> children() {
            return List.of(operand);
        }
    }
}
