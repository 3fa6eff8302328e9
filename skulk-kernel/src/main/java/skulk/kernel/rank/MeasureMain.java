package skulk.kernel.rank;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import skulk.api.RunnerFactory;
import skulk.api.cluster.EngineSpeed;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.json.Records;

/**
 * The program that measures the engine: in a process of its own, as ranks are, for kernels need the vector module and leave compiled code behind. Arguments: a home
 * for the plugins, the number of threads, and the plugins' folders or jars. Prints the speed as JSON, or null where no engine tells.
 */
public final class MeasureMain {
    private MeasureMain() {}

    public static void main(String[] arguments) throws IOException {
        List<Path> plugins = Arrays.stream(arguments).skip(2).map(Path::of).toList();
        int threads = Integer.parseInt(arguments[1]);
        Optional<EngineSpeed> speed;
        try (Engines engines = new RankPlugins().start(Path.of(arguments[0]), plugins, JsonObject.EMPTY)) {
            speed = measure(engines, threads);
        }
        try (PrintStream out =
                new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8)) {
            out.println(speed.map(Records::toJson).orElse(Json.NULL));
        }
        Runtime.getRuntime().halt(0);
    }

    static Optional<EngineSpeed> measure(Engines engines, int threads) {
        for (RunnerFactory factory : engines.runners()) {
            // libraries look for their native parts through it
            Thread.currentThread().setContextClassLoader(factory.getClass().getClassLoader());
            Optional<EngineSpeed> speed = factory.measure(threads);
            if (speed.isPresent()) {
                return speed;
            }
        }
        return Optional.empty();
    }
}
