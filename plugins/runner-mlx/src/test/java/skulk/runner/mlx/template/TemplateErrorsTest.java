package skulk.runner.mlx.template;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TemplateErrorsTest {
    private static final Map<String, Object> NOTHING = Map.of();

    @Test
    void raisedMessageIsExact() {
        ChatTemplate template = ChatTemplate.compile("a{{ raise_exception('No <tools>: ' ~ 1) }}");
        var error = assertThrows(TemplateRaisedException.class, () -> template.render(NOTHING));
        assertEquals("No <tools>: 1", error.getMessage());
    }

    @Test
    void otherFailuresAreNotRaisedByTheTemplate() {
        ChatTemplate template = ChatTemplate.compile("\n\n{{ 'a' + [] }}");
        var error = assertThrows(TemplateRenderException.class, () -> template.render(NOTHING));
        assertFalse(error instanceof TemplateRaisedException);
        assertEquals("TypeError: can only concatenate str (not \"list\") to str", error.getMessage());
        assertEquals(3, error.line());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "{{ 1 | nosuch }} ; No filter named 'nosuch'.",
                "{{ 1 is nosuch }} ; No test named 'nosuch'.",
                "{% nosuch %} ; Encountered unknown tag 'nosuch'.",
                "{% include 'x' %} ; the tag 'include' is not supported: a chat template stands alone",
                "{# open ; Missing end of comment tag",
                "{{ (1 } ; unexpected '}', expected ')'",
                "{{ & }} ; unexpected char '&' at 3",
            })
    void syntaxErrorsSayWhatIsWrong(String source, String message) {
        var error = assertThrows(TemplateSyntaxException.class, () -> ChatTemplate.compile(source));
        assertEquals(message, error.getMessage());
    }

    @Test
    void syntaxErrorsTellTheLine() {
        var error =
                assertThrows(TemplateSyntaxException.class, () -> ChatTemplate.compile("a\nb\n{% if x %}\n{{ 1 + }}"));
        assertEquals(4, error.line());
    }

    @ParameterizedTest
    @ValueSource(strings = {"append", "pop", "insert", "sort", "__class__", "__init__"})
    void listsCanNotBeChangedNorLookedInto(String name) {
        ChatTemplate template = ChatTemplate.compile("{{ l." + name + "(1) }}");
        var error =
                assertThrows(TemplateRenderException.class, () -> template.render(Map.of("l", java.util.List.of(1))));
        assertEquals("access to attribute '" + name + "' of 'list' object is unsafe.", error.getMessage());
    }

    @Test
    void unsupportedContextValueIsNamed() {
        ChatTemplate template = ChatTemplate.compile("x");
        Map<String, Object> context = Map.of("a", Map.of("b", java.util.List.of(new Object())));
        var error = assertThrows(TemplateRenderException.class, () -> template.render(context));
        assertTrue(error.getMessage().contains("a.b[0]"), error.getMessage());
    }

    @Test
    void numbersOfJavaBecomeThoseOfPython() {
        ChatTemplate template = ChatTemplate.compile("{{ [a, b, c, d, e] }}");
        Map<String, Object> context = Map.of(
                "a", 1, "b", 2.0f, "c", new BigDecimal("12345678901234567890"), "d", new BigDecimal("1.50"), "e", 7L);
        assertEquals("[1, 2.0, 12345678901234567890, 1.5, 7]", template.render(context));
    }
}
