package skulk.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import skulk.api.StorageBackend;
import skulk.api.cluster.NodeId;
import skulk.api.model.ByteRange;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;
import skulk.kernel.CommandLine.Option;
import skulk.kernel.CommandLine.UsageException;
import skulk.kernel.config.Configuration;
import skulk.kernel.config.Keys;
import skulk.kernel.model.Catalog;
import skulk.kernel.node.Home;
import skulk.kernel.node.Names;
import skulk.kernel.storage.Bundle;
import skulk.kernel.storage.StorageSettings;

/** {@code skulk bundle export|import}: models for machines without a network. Works on this machine's folders; no node has to run. */
final class BundleCommand {
    private static final Option FROM =
            Option.of("--from", "DIR", "export: the model's folder (default: looked for in the node's folders)");
    private static final Option TO =
            Option.of("--to", "PATH", "export: the file (ORG--NAME.skulk); import: the folder of models (the node's)");
    private static final Option HELP = Option.toggle("--help", "prints this").or("-h");

    private final Map<String, String> environment;

    BundleCommand(Map<String, String> environment) {
        this.environment = environment;
    }

    int run(List<String> arguments) throws IOException {
        List<Option> own = List.of(FROM, TO, HELP);
        List<Option> options = new ArrayList<>(ServeOptions.options());
        options.addAll(own);
        CommandLine line = CommandLine.parse(arguments, options);
        if (line.has(HELP.name())) {
            Terminal.out().print("""
                    usage: skulk bundle export ORG/NAME [--from DIR] [--to FILE]
                           skulk bundle import FILE [--to DIR]

                    A bundle is one file with a model, its card and the SHA-256 of every file; tar reads it too. The options of serve select
                    the home and configuration whose folders are used.

                    """ + CommandLine.help(own));
            return 0;
        }
        if (line.operands().size() != 2) {
            throw new UsageException("bundle takes 'export ORG/NAME' or 'import FILE'");
        }
        ServeOptions.Selected selected = ServeOptions.select(line, environment);
        String operand = line.operands().getLast();
        switch (line.operands().getFirst()) {
            case "export" -> export(model(operand), line, selected);
            case "import" -> take(Path.of(operand), line, selected);
            default -> throw new UsageException("bundle has two commands: export and import");
        }
        return 0;
    }

    static ModelId model(String text) {
        try {
            return new ModelId(text);
        } catch (IllegalArgumentException e) {
            throw new UsageException(e.getMessage());
        }
    }

    private static void export(ModelId model, CommandLine line, ServeOptions.Selected selected) throws IOException {
        Path folder = line.value(FROM.name()).map(Path::of).orElseGet(() -> find(model, selected));
        if (!isCheckpoint(folder)) {
            throw new IOException(folder + " is no checkpoint: it lacks config.json or *.safetensors");
        }
        Path to = Path.of(line.value(TO.name()).orElse(model.directoryName() + ".skulk"))
                .toAbsolutePath();
        Terminal.out().println("reading " + folder);
        ModelManifest manifest = Bundle.describe(folder, model);
        String card = Catalog.toml(card(manifest, folder, selected.home()));
        Path partial = to.resolveSibling(to.getFileName() + ".partial");
        try (ProgressLine progress = ProgressLine.of(model.value(), environmentIsTerminal())) {
            try (OutputStream out = Files.newOutputStream(partial)) {
                Bundle.write(folder, manifest, card, out, n -> progress.show(n, manifest.totalBytes()));
            }
            Files.move(partial, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(partial);
        }
        Terminal.out().printf("%s: %d files, %d bytes%n", to, manifest.files().size(), Files.size(to));
    }

    private static void take(Path file, CommandLine line, ServeOptions.Selected selected) throws IOException {
        Path root = line.value(TO.name())
                .map(Path::of)
                .orElseGet(() -> Path.of(selected.configuration().get(Keys.MODELS_DIR)))
                .toAbsolutePath();
        try (InputStream in = Files.newInputStream(file)) {
            Bundle.Opened bundle = Bundle.open(in);
            ModelId model = bundle.manifest().model();
            try (ProgressLine progress = ProgressLine.of(model.value(), environmentIsTerminal())) {
                Path folder = Bundle.unpack(
                        bundle, root, n -> progress.show(n, bundle.manifest().totalBytes()));
                Terminal.out().printf("%s is in %s, all digests are right%n", model, folder);
            }
        }
    }

    static boolean environmentIsTerminal() {
        return System.console() != null && System.console().isTerminal();
    }

    /** Staged, in the store, or in one of the folders of models. */
    private static Path find(ModelId model, ServeOptions.Selected selected) {
        Configuration configuration = selected.configuration();
        StorageSettings storage = StorageSettings.of(
                configuration,
                new StorageSettings.Here(
                        new NodeId("bundle"),
                        configuration.get(Keys.NAME),
                        Names.host(),
                        selected.home().staging()));
        List<Path> roots = new ArrayList<>(List.of(storage.staging()));
        storage.store().ifPresent(roots::add);
        roots.add(Path.of(configuration.get(Keys.MODELS_DIR)));
        Stream.of(configuration.get(Keys.MODELS_PATH).split(java.io.File.pathSeparator))
                .filter(text -> !text.isBlank())
                .forEach(text -> roots.add(Path.of(text)));
        return roots.stream()
                .flatMap(root -> Stream.of(root.resolve(model.directoryName()), root.resolve(model.value())))
                .filter(BundleCommand::isCheckpoint)
                .findFirst()
                .orElseThrow(() ->
                        new UsageException("%s is in none of %s; name its folder with --from".formatted(model, roots)));
    }

    private static boolean isCheckpoint(Path folder) {
        if (!Files.isRegularFile(folder.resolve("config.json"))) {
            return false;
        }
        try (Stream<Path> list = Files.list(folder)) {
            return list.anyMatch(f -> f.toString().endsWith(".safetensors"));
        } catch (IOException e) {
            return false;
        }
    }

    private static ModelCard card(ModelManifest manifest, Path folder, Home home) throws IOException {
        Catalog catalog = new Catalog(home.customCards(), () -> List.of(new Folder(manifest, folder)));
        return catalog.find(manifest.model())
                .orElseThrow(() -> new IOException("no card can be made for " + manifest.model() + " from " + folder));
    }

    /** The folder as a source of cards. */
    private record Folder(ModelManifest manifest, Path folder) implements StorageBackend {
        @Override
        public String name() {
            return "folder";
        }

        @Override
        public Optional<ModelManifest> find(ModelId model) {
            return Optional.of(manifest);
        }

        @Override
        public ReadableByteChannel open(ModelId model, ModelFile file, ByteRange range) throws IOException {
            return FileChannel.open(folder.resolve(file.path())).position(range.start());
        }
    }
}
