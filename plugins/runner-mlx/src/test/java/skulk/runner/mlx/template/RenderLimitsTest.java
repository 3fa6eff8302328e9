package skulk.runner.mlx.template;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RenderLimitsTest {
    private static final RenderLimits SMALL = new RenderLimits(100_000, 1_000_000, 100_000, 200);

    /** On a thread with an ordinary stack, however deep the one of the test runner is. */
    private static <T> T onSmallStack(Callable<T> work) throws InterruptedException, ExecutionException {
        FutureTask<T> task = new FutureTask<>(work);
        Thread thread = new Thread(null, task, "small-stack", 512 * 1024);
        thread.start();
        return task.get();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{{ 'a' * 1000000000 }}",
                "{{ [1] * 1000000000 }}",
                "{{ (1,) * 9223372036854775807 }}",
                "{% for i in range(99999) %}aaaaaaaaaaaaaaaaaaaa{% endfor %}",
                "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}",
                "{% set ns = namespace(s='ab') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
                "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
                "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
                "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s|tojson }}",
                "{% set ns = namespace(s=[1]) %}{% for i in range(5000) %}{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s }}",
                "{% set ns = namespace(s=[1]) %}{% for i in range(5000) %}{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s|tojson }}",
                "{% set ns = namespace(s=[1]) %}{% for i in range(5000) %}{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s|pprint }}",
                "{% set ns = namespace(s=l) %}{% for i in range(20000) %}{% set ns.s = ns.s|map('string') %}{% endfor %}{{ ns.s|list }}",
                "{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}",
                "{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}",
                "{% macro m(c) %}{% call n() %}{{ c() }}{% endcall %}{% endmacro %}{% macro n() %}{{ m(caller) }}{% endmacro %}{{ m(n) }}",
                "{% for i in l recursive %}{{ loop(l) }}{% endfor %}",
                "{% block b %}{{ self.b() }}{% endblock %}",
                "{{ 10 ** 1000000 }}",
                "{{ 2 ** (2 ** 40) }}",
                "{{ '%1000000000d' % 1 }}",
                "{{ '%.1000000000f' % 1 }}",
                "{{ '{:999999999}'.format(1) }}",
                "{{ '{:0999999999d}'.format(1) }}",
                "{{ '{:.999999999f}'.format(1) }}",
                "{{ 'a'.center(1000000000) }}",
                "{{ 'a'|center(1000000000) }}",
                "{{ 'a'.zfill(1000000000) }}",
                "{{ 'a\\tb'.expandtabs(1000000000) }}",
                "{{ 'a'|indent(1000000000) }}",
                "{{ [1]|tojson(indent=1000000000) }}",
                "{{ [1]|batch(1000000000, 'x')|list }}",
                "{{ [1]|slice(1000000000)|list }}",
                "{{ ('a' * 50000).replace('a', 'b' * 50000) }}",
                "{{ ('a' * 50000).replace('', 'b' * 50000) }}",
                "{{ ('b' * 50000).join('a' * 50000) }}",
                "{{ (' ' * 90000)|urlencode|urlencode }}",
                "{{ '%s%s%s' % (('a' * 50000), ('a' * 50000), ('a' * 50000)) }}",
            })
    void hungryTemplatesAreStopped(String source) throws Exception {
        Object outcome = onSmallStack(() -> {
            ChatTemplate template = ChatTemplate.compile(source, TemplateCases.CLOCK, SMALL);
            return assertThrows(TemplateRenderException.class, () -> template.render(Map.of("l", List.of(1))));
        });
        assertInstanceOf(TemplateLimitException.class, outcome, String.valueOf(outcome));
    }

    @Test
    void rangeIsBoundedAsInTheSandbox() {
        ChatTemplate template = ChatTemplate.compile("{{ range(n)|length }}");
        assertEquals("100000", template.render(Map.of("n", 100_000)));
        var error = assertThrows(TemplateRenderException.class, () -> template.render(Map.of("n", 100_001)));
        assertTrue(error.getMessage().startsWith("OverflowError: Range too big."), error.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"(", "[", "{{", "not ", "-", "a.b(", "x if ", "{1:"})
    void deepExpressionsAreRefused(String open) throws Exception {
        onSmallStack(() -> assertThrows(
                TemplateSyntaxException.class, () -> ChatTemplate.compile("{{ " + open.repeat(100_000) + " }}")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"+ 1", "| upper", ".a", "and 1", "* 2", "is odd", "(1)", "if 1 else 2", "~ 1 + 1"})
    void longExpressionsAreRefusedOrRun(String more) throws Exception {
        onSmallStack(() -> {
            try {
                return ChatTemplate.compile("{{ 1 " + more.repeat(50_000) + " }}")
                        .render(Map.of());
            } catch (TemplateException e) {
                return e.getMessage();
            }
        });
    }

    @Test
    void deepStatementsAreRefused() throws Exception {
        String source = "{% if 1 %}".repeat(100_000);
        onSmallStack(() -> assertThrows(TemplateSyntaxException.class, () -> ChatTemplate.compile(source)));
    }

    @Test
    void deepContextIsRefused() throws Exception {
        Object nested = List.of();
        for (int i = 0; i < 100_000; i++) {
            nested = List.of(nested);
        }
        Map<String, Object> context = Map.of("x", nested);
        onSmallStack(() -> assertThrows(
                TemplateLimitException.class, () -> ChatTemplate.compile("x").render(context)));
    }

    @Test
    void longConversationsFitTheDefaultLimits() {
        List<Object> messages = new ArrayList<>();
        IntStream.range(0, 2_000)
                .forEach(i ->
                        messages.add(Map.of("role", i % 2 == 0 ? "user" : "assistant", "content", "x".repeat(500))));
        String source = "{% for m in messages %}{{ '<' + m.role + '>' + m.content | trim + '\\n' }}{% endfor %}";
        assertTrue(ChatTemplate.compile(source)
                        .render(Map.of("messages", messages))
                        .length()
                > 1_000_000);
    }

    @Test
    void oneTemplateServesManyThreads() throws Exception {
        ChatTemplate template =
                ChatTemplate.compile("{% set ns = namespace(n=0) %}{% macro m(x) %}{{ x }}{% endmacro %}"
                        + "{% for i in range(k) %}{% set ns.n = ns.n + i %}{{ m(i) }},{% endfor %}{{ ns.n }}");
        List<Thread> threads = new ArrayList<>();
        List<String> wrong = java.util.Collections.synchronizedList(new ArrayList<>());
        for (int t = 1; t <= 4; t++) {
            int k = 10 * t;
            String expected = template.render(Map.of("k", k));
            threads.add(Thread.ofPlatform().start(() -> {
                for (int i = 0; i < 200; i++) {
                    String text = template.render(Map.of("k", k));
                    if (!text.equals(expected)) {
                        wrong.add(text);
                    }
                }
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(List.of(), wrong);
    }
}
