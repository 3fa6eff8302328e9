package skulk.runner.mlx.embed;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The initialisers and nodes of an ONNX file. Reads just the parts of the protobuf encoding that such files use: field
 * numbers are those of {@code onnx.proto3}.
 *
 * @param tensors float initialisers by name
 */
record OnnxGraph(List<Node> nodes, Map<String, Values> tensors) {
    private static final int FLOAT = 1;

    /** @param data row-major */
    record Values(List<Long> shape, float[] data) {
        /** Rows and columns exchanged. */
        Values transposed() {
            int rows = Math.toIntExact(shape.get(0));
            int cols = Math.toIntExact(shape.get(1));
            float[] out = new float[data.length];
            for (int r = 0; r < rows; r++) {
                for (int c = 0; c < cols; c++) {
                    out[c * rows + r] = data[r * cols + c];
                }
            }
            return new Values(List.of((long) cols, (long) rows), out);
        }
    }

    record Node(String operation, List<String> inputs, List<String> outputs) {}

    static OnnxGraph read(byte[] file) {
        List<Node> nodes = new ArrayList<>();
        Map<String, Values> tensors = new LinkedHashMap<>();
        fields(ByteBuffer.wrap(file), (number, value) -> {
            if (number == 7) {
                fields(value, (inner, part) -> {
                    if (inner == 1) {
                        nodes.add(node(part));
                    } else if (inner == 5) {
                        tensor(part, tensors);
                    }
                });
            }
        });
        return new OnnxGraph(nodes, tensors);
    }

    /**
     * The weights under the names that their linear layers have: products store theirs transposed and without a name, but
     * the addition that follows names its bias.
     */
    Map<String, Values> named() {
        Map<String, Values> out = new LinkedHashMap<>();
        tensors.forEach((name, values) -> {
            if (name.endsWith(".weight") || name.endsWith(".bias")) {
                out.put(name, values);
            }
        });
        for (Node product : nodes) {
            if (!product.operation.equals("MatMul") || !tensors.containsKey(product.inputs.get(1))) {
                continue;
            }
            for (Node sum : nodes) {
                if (sum.operation.equals("Add") && sum.inputs.contains(product.outputs.getFirst())) {
                    sum.inputs.stream().filter(i -> i.endsWith(".bias")).forEach(bias -> {
                        String name = bias.substring(0, bias.length() - "bias".length()) + "weight";
                        out.put(name, tensors.get(product.inputs.get(1)).transposed());
                    });
                }
            }
        }
        return out;
    }

    private static Node node(ByteBuffer message) {
        List<String> inputs = new ArrayList<>();
        List<String> outputs = new ArrayList<>();
        String[] operation = {""};
        fields(message, (number, value) -> {
            switch (number) {
                case 1 -> inputs.add(text(value));
                case 2 -> outputs.add(text(value));
                case 4 -> operation[0] = text(value);
                default -> {}
            }
        });
        return new Node(operation[0], inputs, outputs);
    }

    private static void tensor(ByteBuffer message, Map<String, Values> into) {
        List<Long> shape = new ArrayList<>();
        long[] type = {0};
        String[] name = {""};
        List<ByteBuffer> data = new ArrayList<>();
        fields(message, (number, value) -> {
            switch (number) {
                case 1 -> {
                    while (value.hasRemaining()) {
                        shape.add(varint(value));
                    }
                }
                case 2 -> type[0] = varint(value);
                case 8 -> name[0] = text(value);
                case 4, 9 -> data.add(value);
                default -> {}
            }
        });
        if (type[0] == FLOAT && data.size() == 1) {
            ByteBuffer bytes = data.getFirst().order(ByteOrder.LITTLE_ENDIAN);
            float[] floats = new float[bytes.remaining() / Float.BYTES];
            bytes.asFloatBuffer().get(floats);
            into.put(name[0], new Values(shape, floats));
        }
    }

    private static String text(ByteBuffer value) {
        return StandardCharsets.UTF_8.decode(value.duplicate()).toString();
    }

    private static long varint(ByteBuffer in) {
        long out = 0;
        for (int shift = 0; ; shift += 7) {
            byte b = in.get();
            out |= (long) (b & 0x7f) << shift;
            if (b >= 0) {
                return out;
            }
        }
    }

    /** Calls back with the bytes of every field; those of a number hold just its varint. */
    private static void fields(ByteBuffer message, FieldReader reader) {
        ByteBuffer in = message.duplicate();
        while (in.hasRemaining()) {
            int tag = (int) varint(in);
            int start = in.position();
            int length =
                    switch (tag & 7) {
                        case 0 -> {
                            varint(in);
                            int bytes = in.position() - start;
                            in.position(start);
                            yield bytes;
                        }
                        case 1 -> Long.BYTES;
                        case 2 -> (int) varint(in);
                        case 5 -> Integer.BYTES;
                        default -> throw new IllegalArgumentException("wire type " + (tag & 7));
                    };
            reader.field(tag >>> 3, in.slice(in.position(), length));
            in.position(in.position() + length);
        }
    }

    private interface FieldReader {
        void field(int number, ByteBuffer value);
    }
}
