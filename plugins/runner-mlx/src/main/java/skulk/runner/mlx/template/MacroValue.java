package skulk.runner.mlx.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A macro, or the body of a call block, together with the frame in which it was defined.
 *
 * @param definition what it does
 * @param closure the frame its outer variables are in
 */
record MacroValue(Definition definition, Frame closure) implements PyObject, Callable {
    /**
     * A compiled macro.
     *
     * @param name empty for a call block
     * @param parameters names, without the special ones
     * @param special which of caller, kwargs and varargs its body uses, each handed over after the parameters
     * @param unit its frame: the first slots take the parameters and then the special ones
     * @param body fills in defaults and runs
     */
    record Definition(String name, List<String> parameters, List<String> special, Unit unit, Step body) {}

    @Override
    public Object call(Render render, Args args) {
        List<Object> values = arguments(args);
        render.enter();
        try {
            Frame frame = new Frame(definition.unit().size(), closure, render);
            for (int i = 0; i < values.size(); i++) {
                frame.slots[i] = values.get(i);
            }
            definition.body().run(frame);
            return frame.out.toString();
        } finally {
            render.leave();
        }
    }

    private List<Object> arguments(Args args) {
        List<String> parameters = definition.parameters();
        List<Object> positional = args.positional();
        Map<String, Object> named = new LinkedHashMap<>(args.named());
        int given = Math.min(positional.size(), parameters.size());
        List<Object> values = new ArrayList<>(positional.subList(0, given));
        for (String parameter : parameters.subList(given, parameters.size())) {
            values.add(named.containsKey(parameter) ? named.remove(parameter) : Missing.MISSING);
        }
        if (definition.special().contains("caller")) {
            Object caller = named.remove("caller");
            values.add(caller == null ? new Undefined("No caller defined") : caller);
        }
        if (definition.special().contains("kwargs")) {
            values.add(PyDict.ofNames(named));
        } else if (!named.isEmpty()) {
            throw Errors.type(
                    named.containsKey("caller")
                            ? "macro " + quotedName() + " was invoked with two values for the special caller argument."
                                    + " This is most likely a bug."
                            : "macro " + quotedName() + " takes no keyword argument "
                                    + Repr.quote(named.keySet().iterator().next()));
        }
        if (definition.special().contains("varargs")) {
            values.add(PyTuple.of(new ArrayList<>(positional.subList(given, positional.size()))));
        } else if (positional.size() > parameters.size()) {
            throw Errors.type("macro " + quotedName() + " takes not more than " + parameters.size() + " argument(s)");
        }
        return values;
    }

    private String quotedName() {
        return definition.name().isEmpty() ? "None" : Repr.quote(definition.name());
    }

    @Override
    public Object attribute(String name, Render render) {
        return switch (name) {
            case "name" -> definition.name().isEmpty() ? null : definition.name();
            case "arguments" -> PyTuple.of(new ArrayList<>(definition.parameters()));
            case "catch_kwargs" -> definition.special().contains("kwargs");
            case "catch_varargs" -> definition.special().contains("varargs");
            case "caller" -> definition.special().contains("caller");
            case "explicit_caller" -> definition.parameters().contains("caller");
            default -> Missing.MISSING;
        };
    }

    @Override
    public String typeName() {
        return "Macro";
    }

    @Override
    public String qualifiedName() {
        return "jinja2.runtime.Macro";
    }

    @Override
    public String display(Render render) {
        return "<Macro " + (definition.name().isEmpty() ? "anonymous" : Repr.quote(definition.name())) + ">";
    }

    @Override
    public boolean equals(Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }
}
