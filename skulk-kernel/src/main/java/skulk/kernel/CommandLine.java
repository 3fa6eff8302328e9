package skulk.kernel;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import skulk.kernel.config.Nearest;

/**
 * Parsed arguments of one command. Options may stand anywhere, values follow after a blank or {@code =}.
 *
 * @param options values by the option's first name; an option without a value has one "" per use
 * @param operands what is no option
 */
record CommandLine(Map<String, List<String>> options, List<String> operands) {

    /**
     * An option of a command.
     *
     * @param names first the one it is known by
     * @param value what it takes, as help names it; empty for a switch
     */
    record Option(List<String> names, Optional<String> value, String help) {
        static Option of(String name, String value, String help) {
            return new Option(List.of(name), Optional.of(value), help);
        }

        static Option toggle(String name, String help) {
            return new Option(List.of(name), Optional.empty(), help);
        }

        Option or(String other) {
            List<String> more = new ArrayList<>(names);
            more.add(other);
            return new Option(List.copyOf(more), value, help);
        }

        String name() {
            return names.getFirst();
        }
    }

    /** Arguments that make no sense; the message is one line. */
    static final class UsageException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        UsageException(String message) {
            super(message);
        }
    }

    /** @throws UsageException naming the nearest known option */
    static CommandLine parse(List<String> arguments, List<Option> known) {
        Map<String, List<String>> options = new LinkedHashMap<>();
        List<String> operands = new ArrayList<>();
        Iterator<String> rest = arguments.iterator();
        while (rest.hasNext()) {
            String argument = rest.next();
            if (!argument.startsWith("-") || argument.equals("-")) {
                operands.add(argument);
                continue;
            }
            int equals = argument.indexOf('=');
            String name = equals < 0 ? argument : argument.substring(0, equals);
            Option option = find(name, known);
            String value = "";
            if (option.value().isPresent()) {
                if (equals < 0 && !rest.hasNext()) {
                    throw new UsageException(
                            name + " needs a value: " + option.value().get());
                }
                value = equals < 0 ? rest.next() : argument.substring(equals + 1);
            } else if (equals >= 0) {
                throw new UsageException(name + " takes no value");
            }
            options.computeIfAbsent(option.name(), n -> new ArrayList<>()).add(value);
        }
        return new CommandLine(options, operands);
    }

    private static Option find(String name, List<Option> known) {
        List<String> names = known.stream().flatMap(o -> o.names().stream()).toList();
        return known.stream()
                .filter(o -> o.names().contains(name))
                .findFirst()
                .orElseThrow(() -> new UsageException("unknown option " + name + Nearest.hint(name, names)));
    }

    boolean has(String option) {
        return options.containsKey(option);
    }

    /** The last value given. */
    Optional<String> value(String option) {
        return Optional.ofNullable(options.get(option)).map(List::getLast);
    }

    int count(String option) {
        return options.getOrDefault(option, List.of()).size();
    }

    /** Options for people, aligned. */
    static String help(List<Option> options) {
        StringBuilder text = new StringBuilder();
        for (Option option : options) {
            String left = String.join(", ", option.names())
                    + option.value().map(v -> " " + v).orElse("");
            text.append("  %-38s %s%n".formatted(left, option.help()));
        }
        return text.toString();
    }
}
