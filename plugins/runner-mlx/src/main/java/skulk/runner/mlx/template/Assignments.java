package skulk.runner.mlx.template;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Compiles what stands left of an equals sign. */
final class Assignments {
    /** Puts a value where it belongs. */
    @FunctionalInterface
    interface Store {
        void put(Frame frame, Object value);
    }

    private Assignments() {}

    static Store store(Target target, Scoping at) {
        return switch (target) {
            case Target.NameTarget name -> {
                int slot = at.scope().ref(name.name()).slot();
                yield (frame, value) -> frame.slots[slot] = value;
            }
            case Target.AttributeTarget attribute -> {
                Code owner = ExpressionCompiler.raw(at.scope().ref(attribute.name()), at.unit());
                String name = attribute.attribute();
                yield (frame, value) -> ((Namespace) owner.eval(frame)).put(name, value, frame.render);
            }
            case Target.TupleTarget tuple -> {
                List<Store> stores =
                        tuple.items().stream().map(item -> store(item, at)).toList();
                yield (frame, value) -> unpack(stores, frame, value);
            }
        };
    }

    private static void unpack(List<Store> stores, Frame frame, Object value) {
        if (!Types.iterable(value)) {
            throw Errors.type("cannot unpack non-iterable " + Types.name(value) + " object");
        }
        List<Object> values = new ArrayList<>(stores.size());
        Iterator<Object> items = Types.iterate(value);
        while (values.size() < stores.size() && items.hasNext()) {
            values.add(items.next());
        }
        if (values.size() < stores.size()) {
            throw Errors.value(
                    "not enough values to unpack (expected " + stores.size() + ", got " + values.size() + ")");
        }
        if (items.hasNext()) {
            throw Errors.value("too many values to unpack (expected " + stores.size() + ")");
        }
        for (int i = 0; i < values.size(); i++) {
            stores.get(i).put(frame, values.get(i));
        }
    }

    /** Attributes can be set on namespaces only; Jinja finds out before it evaluates the value. */
    static Step checkNamespaces(Target target, Scoping at) {
        List<Step> checks = new ArrayList<>();
        collectChecks(target, at, checks);
        return TemplateCompiler.sequence(checks);
    }

    private static void collectChecks(Target target, Scoping at, List<Step> checks) {
        switch (target) {
            case Target.NameTarget _ -> {
                // any name will do
            }
            case Target.AttributeTarget attribute -> {
                Code owner = ExpressionCompiler.raw(at.scope().ref(attribute.name()), at.unit());
                checks.add(frame -> {
                    if (!(owner.eval(frame) instanceof Namespace)) {
                        throw Errors.jinja("cannot assign attribute on non-namespace object");
                    }
                    return Step.Signal.NEXT;
                });
            }
            case Target.TupleTarget tuple -> tuple.items().forEach(item -> collectChecks(item, at, checks));
        }
    }

    static Set<String> names(Target target) {
        Set<String> names = new LinkedHashSet<>();
        switch (target) {
            case Target.NameTarget name -> names.add(name.name());
            case Target.AttributeTarget _ -> {
                // sets no name
            }
            case Target.TupleTarget tuple -> tuple.items().forEach(item -> names.addAll(names(item)));
        }
        return names;
    }
}
