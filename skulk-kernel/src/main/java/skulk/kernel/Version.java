package skulk.kernel;

import java.lang.module.ModuleDescriptor;
import java.util.Optional;

/** What this build calls itself. */
final class Version {
    private Version() {}

    /** The kernel's module version; "dev" where it runs from class folders without one. */
    static String text() {
        return Optional.ofNullable(Version.class.getModule().getDescriptor())
                .flatMap(ModuleDescriptor::rawVersion)
                .orElse("dev");
    }

    static int print() {
        Terminal.out().println("skulk " + text() + " (Java " + Runtime.version() + ")");
        return 0;
    }
}
