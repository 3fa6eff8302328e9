package skulk.kernel.node;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.module.ModuleDescriptor;
import java.util.Optional;
import java.util.Properties;

/** What this build calls itself. Constant while the process lives; for use by any thread. */
public final class Build {
    private static final String PROPERTIES = "build.properties";

    private Build() {}

    /** The kernel's module version; "dev" where it runs from class folders without one. */
    public static String version() {
        return Optional.ofNullable(Build.class.getModule().getDescriptor())
                .flatMap(ModuleDescriptor::rawVersion)
                .orElse("dev");
    }

    /** The commit that it was built from, in 12 hex digits; "Unknown" where the build was not told. */
    public static String commit() {
        Properties properties = new Properties();
        try (InputStream in = Build.class.getResourceAsStream(PROPERTIES)) {
            if (in != null) {
                properties.load(in);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the kernel's jar is damaged: " + PROPERTIES, e);
        }
        return properties.getProperty("commit", "Unknown");
    }
}
