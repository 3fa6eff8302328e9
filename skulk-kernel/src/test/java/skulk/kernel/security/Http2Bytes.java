package skulk.kernel.security;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A client that writes HTTP/2 frames (RFC 9113) as it is told, right or wrong. */
final class Http2Bytes implements AutoCloseable {
    static final int DATA = 0;
    static final int HEADERS = 1;
    static final int RESET = 3;
    static final int SETTINGS = 4;
    static final int PING = 6;
    static final int GO_AWAY = 7;
    static final int CONTINUATION = 9;
    static final int END_STREAM = 1;
    static final int END_HEADERS = 4;

    /** Places in the static table of RFC 7541, appendix A. */
    private static final List<String> PSEUDO = List.of("", ":authority", ":method", "", ":path", "", ":scheme");

    final Socket socket;
    private final DataInputStream in;

    /** @param text of the payload as Latin-1 */
    record Frame(int type, int flags, int stream, String text) {}

    Http2Bytes(int port) throws IOException {
        socket = new Socket("127.0.0.1", port);
        socket.setSoTimeout(10_000);
        socket.setTcpNoDelay(true);
        in = new DataInputStream(socket.getInputStream());
        socket.getOutputStream().write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        send(SETTINGS, 0, 0, new byte[0]);
    }

    void send(int type, int flags, int stream, byte[] payload) throws IOException {
        ByteArrayOutputStream frame = new ByteArrayOutputStream();
        frame.write(payload.length >> 16);
        frame.write(payload.length >> 8);
        frame.write(payload.length);
        frame.write(type);
        frame.write(flags);
        for (int shift = 24; shift >= 0; shift -= 8) {
            frame.write(stream >> shift);
        }
        frame.writeBytes(payload);
        socket.getOutputStream().write(frame.toByteArray());
    }

    /** A block of header fields, each a literal that enters no table. */
    static byte[] block(String... namesAndValues) {
        ByteArrayOutputStream block = new ByteArrayOutputStream();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            int index = PSEUDO.indexOf(namesAndValues[i]);
            block.write(Math.max(0, index)); // the server takes pseudo-headers by their place in the static table alone
            if (index < 0) {
                literal(block, namesAndValues[i]);
            }
            literal(block, namesAndValues[i + 1]);
        }
        return block.toByteArray();
    }

    private static void literal(ByteArrayOutputStream block, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        if (bytes.length < 127) {
            block.write(bytes.length);
        } else { // an integer of a seven-bit prefix, RFC 7541 section 5.1
            block.write(127);
            int rest = bytes.length - 127;
            for (; rest >= 128; rest >>= 7) {
                block.write(rest & 127 | 128);
            }
            block.write(rest);
        }
        block.writeBytes(bytes);
    }

    void request(int stream, String method, String path, int flags) throws IOException {
        send(
                HEADERS,
                END_HEADERS | flags,
                stream,
                block(":method", method, ":scheme", "http", ":path", path, ":authority", "localhost"));
    }

    Frame read() throws IOException {
        int head = in.readInt();
        int flags = in.readUnsignedByte();
        int stream = in.readInt();
        byte[] payload = in.readNBytes(head >>> 8);
        return new Frame(head & 0xFF, flags, stream, new String(payload, StandardCharsets.ISO_8859_1));
    }

    /** Everything until the server closes. */
    List<Frame> readAll() throws IOException {
        List<Frame> frames = new ArrayList<>();
        try {
            while (true) {
                frames.add(read());
            }
        } catch (EOFException | java.net.SocketException e) {
            return frames;
        }
    }

    /** The body of a stream's answer. */
    String answer(int stream) throws IOException {
        StringBuilder body = new StringBuilder();
        while (true) {
            Frame frame = read();
            if (frame.stream() == stream && frame.type() == DATA) {
                body.append(frame.text());
            }
            if (frame.stream() == stream && (frame.flags() & END_STREAM) != 0 && frame.type() <= HEADERS) {
                return body.toString();
            }
            if (frame.type() == GO_AWAY || (frame.type() == RESET && frame.stream() == stream)) {
                throw new IOException("refused: " + frame);
            }
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
