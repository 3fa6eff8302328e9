package skulk.runner.mlx.grammar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.SpecVersion;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.problem.SkulkException;
import skulk.runner.mlx.sample.TokenMask;
import skulk.runner.mlx.text.Vocabulary;

class GrammarsTest {
    private static final int SIZE = 3000;
    private final Vocabulary vocabulary = Vocabularies.random(SIZE, 7);
    private final Grammars grammars = new Grammars(vocabulary, new int[] {Vocabularies.END});
    private final ObjectMapper jackson = new ObjectMapper();

    /** What a model with random weights at a high temperature writes: any allowed token is as likely as any other. */
    private String babble(TokenMask mask, int budget, Random random) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int i = 0; i < budget && !mask.complete(); i++) {
            float[] logits = new float[SIZE + 20];
            mask.mask(logits, 0, logits.length);
            int token = -1;
            int seen = 0;
            for (int t = 0; t < logits.length; t++) {
                if (logits[t] == 0 && random.nextInt(++seen) == 0) {
                    token = t;
                }
            }
            assertTrue(token >= 0, "some token is always allowed");
            assertTrue(token < SIZE, "ids beyond the vocabulary are never allowed");
            if (token == Vocabularies.END) {
                break;
            }
            mask.accept(token);
            out.writeBytes(vocabulary.bytes(token));
        }
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void everythingWrittenUnderAThousandSchemasValidates() throws Exception {
        Random random = new Random(1);
        JsonSchemaFactory factory = JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012);
        SchemaValidatorsConfig config =
                SchemaValidatorsConfig.builder().formatAssertionsEnabled(true).build();
        for (int i = 0; i < 1000; i++) {
            JsonObject schema = new RandomSchema(random).schema(3);
            String text = babble(grammars.schema(schema, 300), 300, random);
            JsonNode value;
            try {
                value = jackson.readTree(text);
                Json.parse(text);
            } catch (Exception e) {
                throw new AssertionError("not JSON under " + schema + ": " + text, e);
            }
            var problems = factory.getSchema(schema.toString(), config).validate(value);
            assertTrue(problems.isEmpty(), () -> schema + "\n" + text + "\n" + problems);
        }
    }

    @Test
    void anyObjectIsAlwaysWholeWithinItsBudget() throws Exception {
        Random random = new Random(2);
        for (int budget = 2; budget < 120; budget++) {
            String text = babble(grammars.anyObject(budget), budget, random);
            assertTrue(jackson.readTree(text).isObject(), text);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[a-f]{3,5}-\\d+",
                "(yes|no|maybe)",
                "\\w+@[a-z]+\\.(com|org)",
                "[^\\s\"]{2}é?",
                "(?:ab)*c{2,}",
                "\\u00e9\\x41\\.",
                "[\\]\\-x]+",
                "^a.c$",
                "(?<year>\\d{4})/\\D"
            })
    void expressionsMatchWhole(String pattern) {
        Random random = new Random(3);
        for (int i = 0; i < 50; i++) {
            String text = babble(grammars.regex(pattern, 60), 60, random);
            assertTrue(Pattern.compile(pattern).matcher(text).matches(), pattern + " <- " + text);
        }
    }

    @ParameterizedTest
    @CsvSource({"-17,42", "0,0", "-5,-3", "99,1000", "1,", ",-8", "-1000000,7"})
    void integersKeepToTheirBounds(String low, String high) {
        JsonObject.Builder schema = JsonObject.builder().put("type", "integer");
        if (low != null) {
            schema.put("minimum", Integer.parseInt(low));
        }
        if (high != null) {
            schema.put("maximum", Integer.parseInt(high));
        }
        Random random = new Random(4);
        for (int i = 0; i < 200; i++) {
            long value = Long.parseLong(babble(grammars.schema(schema.build(), 40), 40, random));
            assertTrue(low == null || value >= Integer.parseInt(low), low + ".." + high + ": " + value);
            assertTrue(high == null || value <= Integer.parseInt(high), low + ".." + high + ": " + value);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "{\"type\":\"array\",\"uniqueItems\":true}; uniqueItems",
                "{\"type\":\"string\",\"pattern\":\"a(?=b)\"}; look-around",
                "{\"type\":\"object\",\"patternProperties\":{}}; patternProperties",
                "{\"not\":{}}; not",
                "{\"type\":\"string\",\"format\":\"idn-email\"}; idn-email",
                "{\"$ref\":\"#/$defs/none\"}; points to nothing",
                "{\"$ref\":\"#\"}; leads back to itself",
                "{\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"number\"}]}; oneOf",
                "{\"type\":\"text\"}; text",
                "{\"type\":\"string\",\"maxLength\":90000}; states",
                "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"}},\"required\":[\"a\"]}; no finite value"
            })
    void whatCannotBeEnforcedIsRefusedByName(String schema, String named) {
        SkulkException e = assertThrows(SkulkException.class, () -> grammars.schema(Json.parse(schema), 100));
        assertEquals(400, e.problem().kind().status());
        assertTrue(e.getMessage().contains(named), e.getMessage());
    }

    @Test
    void recursionThroughReferencesEnds() throws Exception {
        Json schema = Json.parse(
                "{\"$ref\":\"#/$defs/node\",\"$defs\":{\"node\":{\"type\":\"object\",\"properties\":{\"v\":{\"type\":\"integer\"},"
                        + "\"next\":{\"anyOf\":[{\"$ref\":\"#/$defs/node\"},{\"type\":\"null\"}]}},\"required\":[\"v\",\"next\"]}}}");
        Random random = new Random(5);
        for (int i = 0; i < 50; i++) {
            String text = babble(grammars.schema(schema, 150), 150, random);
            assertTrue(jackson.readTree(text).has("next"), text);
        }
    }

    @Test
    void keysThatAreNotNamedNeverSpellANamedOne() throws Exception {
        Json schema = Json.parse(
                "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},\"ab\":{\"type\":\"integer\"}},"
                        + "\"additionalProperties\":{\"type\":\"boolean\"}}");
        Random random = new Random(6);
        int others = 0;
        for (int i = 0; i < 300; i++) {
            JsonNode value = jackson.readTree(babble(grammars.schema(schema, 80), 80, random));
            for (String name : List.of("a", "ab")) {
                assertTrue(
                        !value.has(name)
                                || value.get(name).isInt()
                                || value.get(name).isLong(),
                        value.toString());
            }
            others += value.size();
        }
        assertTrue(others > 100, "members written: " + others);
    }

    @Test
    void forcedCallsHaveTheFormOfTheModel() throws Exception {
        ToolCalls calls = new ToolCalls(
                "<tool_call>\n",
                List.of(new ToolCalls.Call(
                        "{\"name\": \"add\", \"arguments\": ",
                        Json.parse(
                                "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}},\"required\":[\"a\"]}"),
                        "}\n</tool_call>")),
                "\n<tool_call>\n",
                "",
                false);
        String text = babble(grammars.calls(calls, 100), 100, new Random(8));
        assertTrue(text.startsWith("<tool_call>\n{") && text.endsWith("}\n</tool_call>"), text);
        String json = text.substring(12, text.length() - 13);
        assertTrue(jackson.readTree(json).get("arguments").get("a").isIntegralNumber(), json);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'type':'object','properties':{'name':{'type':'string','maxLength':4},'tags':{'type':'array','items':{'enum':['x','xy',1]}}}}",
                "{'type':'object','properties':{'a':{'type':'string','minLength':3,'maxLength':40}},'required':['a']}",
                "{'type':'array','items':{'type':'string','pattern':'^[a-z]{2,30}(-[0-9]{1,3})?$'},'maxItems':25}"
            })
    void theMaskAgreesWithTryingEveryToken(String json) {
        Grammar grammar = SchemaGrammar.compile(Json.parse(json.replace('\'', '"')));
        Matcher fast = new Matcher(grammar, Matcher.Tokens.of(vocabulary));
        Random random = new Random(9);
        for (int run = 0; run < 20; run++) {
            Matcher.Place place = fast.start();
            for (int i = 0; i < 30 && place.tops.length > 0; i++) {
                for (int t = 0; t < SIZE; t++) {
                    boolean allowed = vocabulary.bytes(t).length > 0
                            && !vocabulary.special(t)
                            && !fast.step(place, vocabulary.bytes(t)).dead();
                    assertEquals(allowed, fast.mask(place).get(t), "token " + vocabulary.text(t));
                }
                int[] choices = fast.mask(place).stream().toArray();
                place = fast.step(place, vocabulary.bytes(choices[random.nextInt(choices.length)]));
            }
        }
        assertFalse(fast.start().ended);
    }

    @Test
    void statesThatCountFarFromTheEndAreOneClass() {
        Grammar counted = SchemaGrammar.compile(Json.parse("{\"type\":\"string\",\"maxLength\":400}"));
        long far = Arrays.stream(StateClasses.of(counted, 20)).distinct().count();
        assertTrue(far * 20 < counted.states(), far + " classes of " + counted.states() + " states");
    }
}
