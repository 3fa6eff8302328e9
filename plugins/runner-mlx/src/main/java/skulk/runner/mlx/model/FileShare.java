package skulk.runner.mlx.model;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;
import skulk.api.RankContext.Partial;
import skulk.api.model.ByteRange;
import skulk.runner.mlx.checkpoint.Checkpoint;
import skulk.runner.mlx.checkpoint.Fields;
import skulk.runner.mlx.checkpoint.Quantization;
import skulk.runner.mlx.checkpoint.Tensor;
import skulk.runner.mlx.kernel.NativeMemory;

/**
 * Which bytes of a checkpoint a rank reads. Not worked out from names: the architecture is asked to load from the files' headers, and what it asks for is
 * noted instead of read. So a family says once what it needs, whatever it is split by.
 */
public final class FileShare {
    private FileShare() {}

    /**
     * The tensors' bytes, by file.
     *
     * @param folder as for {@link Checkpoint#open(Path, Map)}
     * @param headers files of which the headers are here
     * @throws skulk.runner.mlx.checkpoint.CheckpointException if the checkpoint cannot be run
     */
    public static Map<Path, List<ByteRange>> find(Path folder, Map<String, Partial> headers, LoadOptions.Shard shard) {
        Map<Path, List<ByteRange>> asked = new HashMap<>();
        try (Checkpoint checkpoint = Checkpoint.open(folder, headers);
                NativeMemory memory = new NativeMemory()) {
            Fields config = new Fields(folder.resolve("config.json").toString(), checkpoint.config());
            Weights weights = new Weights(
                    checkpoint,
                    Quantization.of(config),
                    Packer.ofShapes(new Scratch(memory)),
                    new Shares(shard),
                    (tensor, from, to) -> note(asked, tensor, from, to));
            Architectures.load(config, weights);
        }
        return asked;
    }

    private static void note(Map<Path, List<ByteRange>> asked, Tensor tensor, long from, long to) {
        asked.computeIfAbsent(tensor.file(), f -> new ArrayList<>())
                .add(new ByteRange(tensor.offset() + from, tensor.offset() + to));
    }

    /** The same memory for every matrix, none of which has content; untouched, it takes address space only. */
    private static final class Scratch implements LongFunction<MemorySegment> {
        private final NativeMemory memory;
        private MemorySegment largest = MemorySegment.NULL;

        Scratch(NativeMemory memory) {
            this.memory = memory;
        }

        @Override
        public MemorySegment apply(long bytes) {
            if (bytes > largest.byteSize()) {
                largest = memory.reserve(bytes);
            }
            return largest.asSlice(0, bytes);
        }
    }
}
