package skulk.api.json;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
    private final JsonMapper jackson = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "{",
                "[1,]",
                "{\"a\":1,}",
                "01",
                "1.",
                ".5",
                "+1",
                "-",
                "1e",
                "nul",
                "truex",
                "\"\\x\"",
                "\"\\u12\"",
                "[1] 2",
                "{\"a\":1,\"a\":2}",
                "\"a\nb\"",
                "{1:2}",
                "[,1]",
                "NaN",
                "'a'",
                "\u0000",
                "[1 2]",
                "{\"a\" 1}",
                "//x\n1"
            })
    void refusesWhatIsNotJson(String text) {
        assertThrows(JsonException.class, () -> Json.parse(text));
    }

    @Test
    void refusesDeepNestingInsteadOfOverflowing() {
        JsonException e = assertThrows(JsonException.class, () -> Json.parse("[".repeat(100_000)));
        assertTrue(e.getMessage().contains("nested deeper than 500"), e.getMessage());
    }

    @Test
    void refusesBytesThatAreNotUtf8() {
        assertThrows(JsonException.class, () -> Json.parse(new byte[] {'"', (byte) 0xc3, '"'}));
    }

    @Test
    void keepsNumbersAsWritten() {
        String text = "[123456789012345678901234567890,1.10,-0,1e400]";
        assertEquals(text, Json.parse(text).toString());
    }

    @Test
    void writesUnpairedSurrogatesAsEscapesSoThatTheTextIsAlwaysUtf8() {
        assertEquals("\"\\ud800\"", new JsonString("\ud800").toString());
        assertEquals("\"😀\"", new JsonString("😀").toString());
    }

    /** Mutated documents: both parsers accept the same texts and read the same values. */
    @Test
    void agreesWithJacksonOnMutatedDocuments() throws Exception {
        String seed = "{\"a\":[1,-2.5e3,true,null,\"x\\u00e9\\n\"],\"b\":{\"c\":\"\\\"\",\"d\":[]},\"e\":0}";
        Random random = new Random(42);
        String letters = "{}[]:,\"\\0123456789.eE+-truefalsn u";
        int accepted = 0;
        for (int i = 0; i < 20_000; i++) {
            StringBuilder text = new StringBuilder(seed);
            for (int k = random.nextInt(3); k >= 0; k--) {
                int at = random.nextInt(text.length());
                switch (random.nextInt(3)) {
                    case 0 -> text.deleteCharAt(at);
                    case 1 -> text.insert(at, letters.charAt(random.nextInt(letters.length())));
                    default -> text.setCharAt(at, letters.charAt(random.nextInt(letters.length())));
                }
            }
            accepted += sameAsJackson(text.toString()) ? 1 : 0;
        }
        assertTrue(accepted > 500, "mutations that stay valid: " + accepted);
    }

    private boolean sameAsJackson(String text) throws Exception {
        JsonNode expected;
        try {
            expected = jackson.readTree(text);
        } catch (JsonProcessingException e) {
            assertThrows(JsonException.class, () -> Json.parse(text), text);
            return false;
        }
        Json actual = Json.parse(text);
        assertEquals(expected, jackson.readTree(actual.toString()), text);
        return true;
    }

    @Test
    void timesAndSizesHaveNoExponent() {
        assertEquals("1795814177.818", JsonNumber.of(1795814177.818).toString());
        assertEquals("-10000000", JsonNumber.of(-1e7).toString());
        assertEquals("9999999.5", JsonNumber.of(9999999.5).toString());
        assertEquals("1.0E15", JsonNumber.of(1e15).toString());
        assertEquals("1.0E-5", JsonNumber.of(1e-5).toString());
    }
}
