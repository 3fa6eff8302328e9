package skulk.runner.mlx.grammar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.runner.mlx.sample.TokenMask;
import skulk.runner.mlx.text.Vocabulary;

/**
 * What a mask costs at a vocabulary of 128k, in processor time of one thread, while the output is a text that a model could have written in its longest tokens.
 * {@code -Dskulk.tokenizer=…/tokenizer.json} measures with a real vocabulary instead of a made-up one.
 */
class MaskCostTest {
    private static final System.Logger LOG = System.getLogger(MaskCostTest.class.getName());
    private static final int SIZE = 128_256;
    /** A step of a 4-bit model of the shape of Llama 3.2 1B, two threads of the machine in docs/performance.md: 39 tokens a second. */
    private static final double STEP_MILLIS = 25.7;

    private static final double SHARE = 0.04;

    private record Sample(String name, Supplier<TokenMask> mask, String text) {}

    private static Vocabulary vocabulary() throws IOException {
        String real = System.getProperty("skulk.tokenizer", "");
        return real.isEmpty()
                ? Vocabularies.random(SIZE, 11)
                : Vocabulary.of((JsonObject) Json.parse(Files.readAllBytes(Path.of(real))));
    }

    private static List<Sample> samples(Grammars grammars) {
        String prose =
                "The quick brown fox jumps over the lazy dog, because it can; nobody knows why, not even the dog. ";
        Json person = Json.parse("""
                {"type":"object","additionalProperties":false,"required":["name","age","email","tags","address","notes"],"properties":{
                 "name":{"type":"string"},"age":{"type":"integer","minimum":0,"maximum":150},"email":{"type":"string","format":"email"},
                 "status":{"enum":["active","retired","unknown"]},"tags":{"type":"array","items":{"type":"string"}},
                 "address":{"type":"object","properties":{"street":{"type":"string"},"zip":{"type":"string","pattern":"^[0-9]{5}$"}},
                  "required":["street","zip"]},"notes":{"type":"string"}}}""");
        String someone =
                "{\"name\":\"Grace Hopper\",\"age\":85,\"email\":\"grace@navy.example.org\",\"status\":\"retired\",\"tags\":[\"compiler\","
                        + "\"admiral\",\"nanosecond\"],\"address\":{\"street\":\"1 Arlington Road\",\"zip\":\"22201\"},\"notes\":\""
                        + prose.repeat(4)
                        + "\"}";
        Json bounded = Json.parse(
                "{\"type\":\"object\",\"properties\":{\"summary\":{\"type\":\"string\",\"maxLength\":400}},\"required\":[\"summary\"]}");
        ToolCalls calls = new ToolCalls(
                "<tool_call>\n",
                List.of(new ToolCalls.Call("{\"name\": \"save\", \"arguments\": ", person, "}\n</tool_call>")),
                "\n",
                "",
                false);
        return List.of(
                new Sample("object of a schema", () -> grammars.schema(person, 2000), someone),
                new Sample("any object", () -> grammars.anyObject(2000), someone),
                new Sample(
                        "string of at most 400",
                        () -> grammars.schema(bounded, 2000),
                        "{\"summary\":\"" + prose.repeat(4).strip() + "\"}"),
                new Sample(
                        "expression",
                        () -> grammars.regex("([A-Z][a-z]+(, | )){3,}[^\\n]*", 2000),
                        "The Quick Brown, " + prose.repeat(3)),
                new Sample(
                        "tool call",
                        () -> grammars.calls(calls, 2000),
                        "<tool_call>\n{\"name\": \"save\", \"arguments\": " + someone + "}\n</tool_call>"));
    }

    /** Times of one text, warmed up by nothing but other texts. */
    private record Cost(int tokens, double firstMillis, double first, double worst, double again) {
        @Override
        public String toString() {
            return "%d tokens; first time %.3f ms a token (worst %.2f, compiling and first mask %.0f), again %.3f ms a token"
                    .formatted(tokens, first, worst, firstMillis, again);
        }
    }

    @Test
    void costsLittleOfAStep() throws IOException {
        Vocabulary vocabulary = vocabulary();
        Map<String, Integer> ids = new HashMap<>();
        for (int id = 0; id < vocabulary.size(); id++) {
            if (!vocabulary.special(id)) {
                ids.putIfAbsent(new String(vocabulary.bytes(id), StandardCharsets.ISO_8859_1), id);
            }
        }
        Map<String, Cost> costs = new LinkedHashMap<>();
        for (int round = 0; round < 3; round++) { // the first rounds are the compiler's
            Grammars grammars = new Grammars(vocabulary, new int[] {Vocabularies.END});
            for (Sample sample : samples(grammars)) {
                int[] tokens = longest(sample.text(), ids);
                double[] first = run(sample.mask(), tokens, vocabulary.size());
                double[] again = run(sample.mask(), tokens, vocabulary.size());
                costs.put(
                        sample.name(),
                        new Cost(
                                tokens.length,
                                first[0],
                                Arrays.stream(first).skip(1).average().orElseThrow(),
                                Arrays.stream(first).skip(1).max().orElseThrow(),
                                Arrays.stream(again).average().orElseThrow()));
            }
        }
        costs.forEach((name, cost) -> LOG.log(System.Logger.Level.INFO, "{0}: {1}", name, cost));
        costs.forEach((name, cost) -> {
            assertTrue(cost.again() <= SHARE * STEP_MILLIS, name + ": " + cost);
            assertTrue(cost.first() <= SHARE * STEP_MILLIS, name + ": " + cost);
        });
    }

    /** Milliseconds of processor time of each token's mask and its acceptance; the first holds the compilation. */
    private static double[] run(Supplier<TokenMask> make, int[] tokens, int size) {
        ThreadMXBean clock = ManagementFactory.getThreadMXBean();
        float[] logits = new float[size];
        double[] times = new double[tokens.length];
        long from = clock.getCurrentThreadCpuTime();
        TokenMask mask = make.get();
        for (int i = 0; i < tokens.length; i++) {
            mask.mask(logits, 0, size);
            assertEquals(0, logits[tokens[i]], "token " + i + " is allowed");
            mask.accept(tokens[i]);
            long now = clock.getCurrentThreadCpuTime();
            times[i] = (now - from) / 1e6;
            Arrays.fill(logits, 0);
            from = clock.getCurrentThreadCpuTime();
        }
        return times;
    }

    private static int[] longest(String text, Map<String, Integer> ids) {
        List<Integer> tokens = new ArrayList<>();
        for (int at = 0; at < text.length(); ) {
            int end = Math.min(text.length(), at + 32);
            while (!ids.containsKey(text.substring(at, end))) {
                end--;
            }
            tokens.add(ids.get(text.substring(at, end)));
            at = end;
        }
        return tokens.stream().mapToInt(Integer::intValue).toArray();
    }
}
