package skulk.runner.mlx.template;

import java.time.Clock;
import java.time.LocalDateTime;
import java.util.HashMap;
import java.util.Map;

/** The state of one rendering: its variables and what it has used of its limits. Confined to one thread. */
final class Render {
    private final CompiledTemplate template;
    private final Map<String, Object> variables;
    private final Map<String, Object> exported = new HashMap<>();
    private final Clock clock;
    private final RenderLimits limits;
    private long workLeft;
    private long stepsLeft;
    private int depth;
    private int draws;

    Render(CompiledTemplate template, Map<String, Object> variables, Clock clock, RenderLimits limits) {
        this.template = template;
        this.variables = variables;
        this.clock = clock;
        this.limits = limits;
        this.workLeft = limits.workChars();
        this.stepsLeft = limits.steps();
    }

    CompiledTemplate template() {
        return template;
    }

    /** A variable of the context, or {@link Missing#MISSING}; what the template has set at its top level comes first. */
    Object resolve(String name) {
        Object value = exported.getOrDefault(name, Missing.MISSING);
        return value != Missing.MISSING ? value : variables.getOrDefault(name, Missing.MISSING);
    }

    /** Makes a variable set at the top level visible to blocks. */
    void export(String name, Object value) {
        exported.put(name, value);
    }

    Map<String, Object> exported() {
        return exported;
    }

    LocalDateTime now() {
        return LocalDateTime.now(clock);
    }

    /** Which of {@code size} elements a random choice takes: repeatable, so that a prompt is a function of its input. */
    int draw(int size) {
        draws++;
        return Math.floorMod(draws * 0x9E3779B9, size);
    }

    void step() {
        if (--stepsLeft < 0) {
            throw Errors.limit("the template took more than " + limits.steps() + " steps");
        }
    }

    void steps(long count) {
        stepsLeft -= count;
        if (stepsLeft < 0) {
            throw Errors.limit("the template took more than " + limits.steps() + " steps");
        }
    }

    void work(long chars) {
        workLeft -= chars;
        if (workLeft < 0) {
            throw Errors.limit("the template built more than " + limits.workChars() + " characters of text");
        }
    }

    /** Checks a string that is about to be this long. */
    void length(long chars) {
        if (chars > limits.outputChars()) {
            throw Errors.limit("the template built a text of more than " + limits.outputChars() + " characters");
        }
    }

    /** Charges for a list of this many elements before it is made. */
    void elements(long count) {
        step();
        work(Math.min(count, Integer.MAX_VALUE) * 8);
    }

    void enter() {
        if (++depth > limits.depth()) {
            depth--;
            throw Errors.limit("the template is nested more than " + limits.depth() + " levels deep");
        }
    }

    void leave() {
        depth--;
    }
}
