package skulk.runner.mlx.template;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * A function written in Java with Python's rules for its arguments.
 *
 * @param name for errors
 * @param required how many of the parameters have no default
 * @param parameters their names; those of a method begin with itself
 * @param keywords whether they may be given by name
 * @param body the work
 */
record Native(String name, int required, List<String> parameters, boolean keywords, Body body) implements Callable {
    /** The work of a function. */
    @FunctionalInterface
    interface Body {
        Object run(Render render, Bound arguments);
    }

    static Native function(String name, int required, String parameters, Body body) {
        return new Native(name, required, List.of(parameters.split(" ")), true, body);
    }

    /** A method whose arguments can not be given by name. */
    static Native method(String name, int required, String parameters, Body body) {
        return new Native(name, required, List.of(parameters.split(" ")), false, body);
    }

    @Override
    public Object call(Render render, Args args) {
        return body.run(render, bind(args));
    }

    private Bound bind(Args args) {
        Object[] values = new Object[parameters.size()];
        List<Object> positional = args.positional();
        if (positional.size() > values.length) {
            throw Errors.type(name + "() takes " + (required == values.length ? "" : "from " + required + " to ")
                    + values.length + " positional arguments but " + positional.size() + " were given");
        }
        Arrays.fill(values, Missing.MISSING);
        for (int i = 0; i < positional.size(); i++) {
            values[i] = positional.get(i);
        }
        for (Map.Entry<String, Object> entry : args.named().entrySet()) {
            int index = keywords ? parameters.indexOf(entry.getKey()) : -1;
            if (index < 0) {
                throw Errors.type(name + "() got an unexpected keyword argument " + Repr.quote(entry.getKey()));
            }
            if (values[index] != Missing.MISSING) {
                throw Errors.type(name + "() got multiple values for argument " + Repr.quote(entry.getKey()));
            }
            values[index] = entry.getValue();
        }
        for (int i = 0; i < required; i++) {
            if (values[i] == Missing.MISSING) {
                throw Errors.type(name + "() missing required positional argument: " + Repr.quote(parameters.get(i)));
            }
        }
        return new Bound(this, values);
    }
}
