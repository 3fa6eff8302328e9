package skulk.runner.mlx.schedule;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/**
 * What one step does, as bytes if need be: rank 0 decides, every rank does the same to its own sequences and cache.
 *
 * @param operations on the cache, in order, before the step
 * @param slices what the step computes; may be empty where only the cache changes
 */
public record StepPlan(List<Operation> operations, List<Slice> slices) {

    public StepPlan {
        operations = List.copyOf(operations);
        slices = List.copyOf(slices);
    }

    /** Opens an empty sequence. */
    public static StepPlan opening(long sequence) {
        return new StepPlan(List.of(new Open(sequence, List.of())), List.of());
    }

    /** One sequence grows by some tokens; its last {@code logitRows} positions want logits. */
    public static StepPlan growing(long sequence, int[] tokens, int logitRows) {
        return new StepPlan(List.of(), List.of(new Slice(sequence, tokens, logitRows)));
    }

    /** A change to sequences and shared blocks. */
    sealed interface Operation {}

    /** Opens a sequence that starts with shared blocks. */
    record Open(long sequence, List<BlockKey> prefix) implements Operation {
        Open {
            prefix = List.copyOf(prefix);
        }
    }

    /** Keeps a full block of a sequence for sharing. */
    record Keep(BlockKey key, long sequence, int block) implements Operation {}

    /** Forgets a kept block. */
    record Evict(BlockKey key) implements Operation {}

    /** Lets go of what only the prefix cache holds of a kept block that sequences still use. */
    record Trim(BlockKey key) implements Operation {}

    /** Drops positions of a sequence. */
    record Truncate(long sequence, int length) implements Operation {}

    /** Closes a sequence. */
    record Close(long sequence) implements Operation {}

    /** The tokens a sequence grows by, and how many of the last positions want logits. */
    record Slice(long sequence, int[] tokens, int logitRows) {}

    /** The plan as bytes. */
    public byte[] encode() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeInt(operations.size());
            for (Operation operation : operations) {
                write(operation, out);
            }
            out.writeInt(slices.size());
            for (Slice slice : slices) {
                out.writeLong(slice.sequence);
                out.writeInt(slice.logitRows);
                out.writeInt(slice.tokens.length);
                for (int token : slice.tokens) {
                    out.writeInt(token);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    /** The plan of {@link #encode()}. @throws UncheckedIOException where the bytes are not one */
    public static StepPlan decode(byte[] bytes) {
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            List<Operation> operations = new ArrayList<>();
            for (int n = size(in, bytes.length); n > 0; n--) {
                operations.add(read(in, bytes.length));
            }
            List<Slice> slices = new ArrayList<>();
            for (int n = size(in, bytes.length); n > 0; n--) {
                long sequence = in.readLong();
                int rows = in.readInt();
                int[] tokens = new int[size(in, bytes.length)];
                for (int i = 0; i < tokens.length; i++) {
                    tokens[i] = in.readInt();
                }
                slices.add(new Slice(sequence, tokens, rows));
            }
            return new StepPlan(operations, slices);
        } catch (IOException e) {
            throw new UncheckedIOException("not a step plan", e);
        }
    }

    private static void write(Operation operation, DataOutputStream out) throws IOException {
        switch (operation) {
            case Open(long sequence, List<BlockKey> prefix) -> {
                out.writeByte(0);
                out.writeLong(sequence);
                out.writeInt(prefix.size());
                for (BlockKey key : prefix) {
                    write(key, out);
                }
            }
            case Keep(BlockKey key, long sequence, int block) -> {
                out.writeByte(1);
                write(key, out);
                out.writeLong(sequence);
                out.writeInt(block);
            }
            case Evict(BlockKey key) -> {
                out.writeByte(2);
                write(key, out);
            }
            case Truncate(long sequence, int length) -> {
                out.writeByte(3);
                out.writeLong(sequence);
                out.writeInt(length);
            }
            case Trim(BlockKey key) -> {
                out.writeByte(5);
                write(key, out);
            }
            case Close(long sequence) -> {
                out.writeByte(4);
                out.writeLong(sequence);
            }
        }
    }

    private static Operation read(DataInputStream in, int most) throws IOException {
        int kind = in.readByte();
        return switch (kind) {
            case 0 -> {
                long sequence = in.readLong();
                List<BlockKey> prefix = new ArrayList<>();
                for (int n = size(in, most); n > 0; n--) {
                    prefix.add(key(in));
                }
                yield new Open(sequence, prefix);
            }
            case 1 -> new Keep(key(in), in.readLong(), in.readInt());
            case 2 -> new Evict(key(in));
            case 3 -> new Truncate(in.readLong(), in.readInt());
            case 4 -> new Close(in.readLong());
            case 5 -> new Trim(key(in));
            default -> throw new IOException("operation " + kind);
        };
    }

    private static void write(BlockKey key, DataOutputStream out) throws IOException {
        out.writeLong(key.high());
        out.writeLong(key.low());
    }

    private static BlockKey key(DataInputStream in) throws IOException {
        return new BlockKey(in.readLong(), in.readLong());
    }

    private static int size(DataInputStream in, int most) throws IOException {
        int size = in.readInt();
        if (size < 0 || size > most) {
            throw new IOException("count " + size);
        }
        return size;
    }
}
