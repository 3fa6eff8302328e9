package skulk.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The public signature of the API against a golden file, so that a change is a visible diff. After an intended change run with
 * {@code -Dskulk.golden.update=true} and read the diff.
 */
class ApiSignatureTest {
    private static final Path GOLDEN = Path.of("src/test/resources/api-signature.txt");

    @Test
    void signatureIsTheGoldenOne() throws Exception {
        String signature =
                publicTypes().stream().map(ApiSignatureTest::describe).collect(Collectors.joining("\n"));
        if (Boolean.getBoolean("skulk.golden.update")) {
            Files.createDirectories(GOLDEN.getParent());
            Files.writeString(GOLDEN, signature);
        }
        assertEquals(Files.readString(GOLDEN), signature, "the public API changed; see this test's Javadoc");
    }

    /** Growing interfaces is how plugin systems rot: an extension point that needs a sixth method is two extension points. */
    @Test
    void extensionPointsStaySmall() {
        for (Class<?> point : Extension.class.getPermittedSubclasses()) {
            List<String> methods = Arrays.stream(point.getDeclaredMethods())
                    .filter(m -> !m.isSynthetic())
                    .map(Method::getName)
                    .toList();
            assertTrue(methods.size() <= 5, point + " has " + methods);
        }
    }

    private static List<Class<?>> publicTypes() throws IOException, URISyntaxException, ClassNotFoundException {
        Path classes = Path.of(
                Plugin.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        List<Class<?>> types = new ArrayList<>();
        try (Stream<Path> files = Files.walk(classes)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".class")).toList()) {
                String name =
                        classes.relativize(file).toString().replace('/', '.').replaceAll("\\.class$", "");
                if (!name.endsWith("-info") && !name.startsWith("skulk.api.fake")) {
                    Class<?> type = Class.forName(name, false, Plugin.class.getClassLoader());
                    if (isVisible(type)) {
                        types.add(type);
                    }
                }
            }
        }
        types.sort(Comparator.comparing(Class::getName));
        return types;
    }

    private static boolean isVisible(Class<?> type) {
        return Modifier.isPublic(type.getModifiers())
                && (type.getEnclosingClass() == null || isVisible(type.getEnclosingClass()));
    }

    private static String describe(Class<?> type) {
        List<String> lines = new ArrayList<>();
        for (Constructor<?> constructor : type.getDeclaredConstructors()) {
            if (Modifier.isPublic(constructor.getModifiers())) {
                lines.add("  " + constructor.toGenericString());
            }
        }
        for (Field field : type.getDeclaredFields()) {
            if (Modifier.isPublic(field.getModifiers())) {
                lines.add("  " + field.toGenericString());
            }
        }
        for (Method method : type.getDeclaredMethods()) {
            if (Modifier.isPublic(method.getModifiers())
                    && !method.isSynthetic()
                    && !isRecordBoilerplate(type, method)) {
                lines.add("  " + method.toGenericString());
            }
        }
        lines.sort(Comparator.naturalOrder());
        String permits = type.isSealed()
                ? " permits "
                        + Arrays.stream(type.getPermittedSubclasses())
                                .map(Class::getName)
                                .collect(Collectors.joining(", "))
                : "";
        return type.toGenericString() + permits + "\n" + String.join("\n", lines) + "\n";
    }

    private static boolean isRecordBoilerplate(Class<?> type, Method method) {
        return type.isRecord() && List.of("equals", "hashCode", "toString").contains(method.getName());
    }
}
