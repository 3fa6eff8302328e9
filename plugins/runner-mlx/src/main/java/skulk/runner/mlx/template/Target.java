package skulk.runner.mlx.template;

import java.util.List;

/** What can be assigned to. */
sealed interface Target extends Node {
    record NameTarget(String name, int line) implements Target {
        @Override
        public List<Node> children() {
            return List.of();
        }
    }

    /** An attribute of a namespace. */
    record AttributeTarget(String name, String attribute, int line) implements Target {
        @Override
        public List<Node> children() {
            return List.of();
        }
    }

    record TupleTarget(List<Target> items, int line) implements Target {
        @Override
        public List<Target> children() {
            return items;
        }
    }
}
