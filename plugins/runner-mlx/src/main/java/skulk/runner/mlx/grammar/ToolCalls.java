package skulk.runner.mlx.grammar;

import java.util.List;
import java.util.function.IntUnaryOperator;
import skulk.api.json.Json;

/**
 * Tool calls as a model writes them: {@code before}, a call, {@code between} and another call where several are allowed, {@code after}.
 *
 * @param calls one way per tool: text up to the arguments, the schema of the arguments, text behind them
 * @param many whether more than one call may follow
 */
public record ToolCalls(String before, List<Call> calls, String between, String after, boolean many) {
    public ToolCalls {
        calls = List.copyOf(calls);
    }

    /** One tool. */
    public record Call(String head, Json schema, String tail) {}

    Grammar compile() {
        GrammarBuilder builder = new GrammarBuilder();
        int start = builder.state();
        List<IntUnaryOperator> ways = calls.stream()
                .<IntUnaryOperator>map(call -> from -> builder.literal(
                        SchemaGrammar.add(builder, builder.literal(from, call.head()), call.schema()), call.tail()))
                .toList();
        int first = builder.anyOf(builder.literal(start, before), ways);
        int last = many
                ? builder.repeat(first, 0, 15, from -> builder.anyOf(builder.literal(from, between), ways))
                : first;
        builder.end(builder.literal(last, after));
        return SchemaGrammar.finished(builder, start);
    }
}
