package skulk.runner.mlx.template;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import skulk.runner.mlx.template.TemplateCases.Case;

/**
 * Snippets over every operator, filter, test, method and statement with what Jinja2 3.1.6 made of them, recorded with
 * the set-up of Hugging Face. Where Jinja2 fails, failing is required; the words of its message are not, as many are
 * those of one version of Python.
 */
class JinjaSnippetsTest {
    static List<Case> snippets() {
        return TemplateCases.snippets();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("snippets")
    void rendersAsJinja(Case test) {
        if (test.expected().isPresent()) {
            assertEquals(
                    test.expected().get(), TemplateCases.compile(test.source()).render(test.context()));
        } else {
            assertThrows(
                    TemplateException.class,
                    () -> TemplateCases.compile(test.source()).render(test.context()));
        }
    }
}
