package skulk.runner.mlx.template;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import skulk.runner.mlx.template.TemplateCases.Case;

/** Published chat templates, byte for byte what Jinja2 renders, and its message where it fails. */
class PublishedTemplatesTest {
    @TestFactory
    List<DynamicTest> everyConversationRendersAsInJinja() {
        var folder = TemplateCases.sharedTemplates();
        Assumptions.assumeTrue(folder.isPresent(), "the folder of published templates is not here");
        List<Case> cases = TemplateCases.published(folder.get());
        assertTrue(cases.size() >= 500, "only " + cases.size() + " conversations");
        return cases.stream()
                .map(test -> DynamicTest.dynamicTest(test.name(), () -> check(test)))
                .toList();
    }

    private static void check(Case test) {
        ChatTemplate template = TemplateCases.compile(test.source());
        if (test.expected().isPresent()) {
            assertEquals(test.expected().get(), template.render(test.context()));
        } else {
            var error = assertThrows(TemplateRenderException.class, () -> template.render(test.context()));
            assertEquals(test.error().orElseThrow(), error.getMessage());
        }
    }
}
