package skulk.kernel.event;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonBoolean;
import skulk.api.json.JsonNull;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;

/** JSON values in MessagePack (msgpack.org specification): the subset that JSON needs. Integers of 64 bits stay integers, all other numbers become doubles. */
final class MessagePack {
    private MessagePack() {}

    static byte[] write(Json value) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            write(value, new DataOutputStream(bytes));
        } catch (IOException e) {
            throw new UncheckedIOException(e); // memory does not fail so
        }
        return bytes.toByteArray();
    }

    private static void write(Json value, DataOutputStream out) throws IOException {
        switch (value) {
            case JsonNull n -> out.writeByte(0xc0);
            case JsonBoolean(boolean b) -> out.writeByte(b ? 0xc3 : 0xc2);
            case JsonNumber n -> number(n, out);
            case JsonString(String text) -> {
                byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
                size(utf8.length, 0xa0, 32, new int[] {0xd9, 0xda, 0xdb}, out);
                out.write(utf8);
            }
            case JsonArray(List<Json> items) -> {
                size(items.size(), 0x90, 16, new int[] {-1, 0xdc, 0xdd}, out);
                for (Json item : items) {
                    write(item, out);
                }
            }
            case JsonObject object -> {
                size(object.members().size(), 0x80, 16, new int[] {-1, 0xde, 0xdf}, out);
                for (var member : object.members().entrySet()) {
                    write(new JsonString(member.getKey()), out);
                    write(member.getValue(), out);
                }
            }
        }
    }

    private static void number(JsonNumber number, DataOutputStream out) throws IOException {
        if (!number.isLong()) {
            out.writeByte(0xcb);
            out.writeDouble(number.toDouble());
            return;
        }
        long value = number.toLong();
        if (value >= -32 && value < 128) {
            out.writeByte((byte) value);
        } else if (value == (int) value) {
            out.writeByte(0xd2);
            out.writeInt((int) value);
        } else {
            out.writeByte(0xd3);
            out.writeLong(value);
        }
    }

    /** A length: in the tag itself where it is small, else in 8, 16 or 32 bits; a tag of -1 does not exist. */
    private static void size(int size, int fixed, int below, int[] tags, DataOutputStream out) throws IOException {
        if (size < below) {
            out.writeByte(fixed | size);
        } else if (size < 256 && tags[0] >= 0) {
            out.writeByte(tags[0]);
            out.writeByte(size);
        } else if (size < 65536) {
            out.writeByte(tags[1]);
            out.writeShort(size);
        } else {
            out.writeByte(tags[2]);
            out.writeInt(size);
        }
    }

    /** @throws IOException where the bytes are not one whole value */
    static Json read(byte[] bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        try {
            Json value = read(buffer);
            if (buffer.hasRemaining()) {
                throw new IOException("%d bytes after the value".formatted(buffer.remaining()));
            }
            return value;
        } catch (BufferUnderflowException e) {
            throw new IOException("the value is cut off", e);
        }
    }

    private static Json read(ByteBuffer in) throws IOException {
        int tag = in.get() & 0xff;
        if (tag < 0x80 || tag >= 0xe0) {
            return JsonNumber.of((int) (byte) tag);
        } else if (tag < 0x90) {
            return object(tag & 15, in);
        } else if (tag < 0xa0) {
            return array(tag & 15, in);
        } else if (tag < 0xc0) {
            return text(tag & 31, in);
        }
        return switch (tag) {
            case 0xc0 -> Json.NULL;
            case 0xc2 -> new JsonBoolean(false);
            case 0xc3 -> new JsonBoolean(true);
            case 0xcb -> JsonNumber.of(in.getDouble());
            case 0xd2 -> JsonNumber.of(in.getInt());
            case 0xd3 -> JsonNumber.of(in.getLong());
            case 0xd9 -> text(in.get() & 0xff, in);
            case 0xda -> text(in.getShort() & 0xffff, in);
            case 0xdb -> text(in.getInt(), in);
            case 0xdc -> array(in.getShort() & 0xffff, in);
            case 0xdd -> array(in.getInt(), in);
            case 0xde -> object(in.getShort() & 0xffff, in);
            case 0xdf -> object(in.getInt(), in);
            default -> throw new IOException("tag 0x%02x is not used here".formatted(tag));
        };
    }

    private static JsonString text(int length, ByteBuffer in) throws IOException {
        if (length < 0 || length > in.remaining()) {
            throw new IOException("a text of %d bytes does not fit".formatted(length));
        }
        byte[] utf8 = new byte[length];
        in.get(utf8);
        return new JsonString(new String(utf8, StandardCharsets.UTF_8));
    }

    private static JsonArray array(int size, ByteBuffer in) throws IOException {
        List<Json> items = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            items.add(read(in));
        }
        return new JsonArray(items);
    }

    private static JsonObject object(int size, ByteBuffer in) throws IOException {
        JsonObject.Builder object = JsonObject.builder();
        for (int i = 0; i < size; i++) {
            Json name = read(in);
            if (!(name instanceof JsonString(String text))) {
                throw new IOException("a name must be a string, not a " + name.kind());
            }
            object.put(text, read(in));
        }
        return object.build();
    }
}
