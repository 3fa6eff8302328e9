package skulk.distribution;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.util.List;

/** Knows one name with its IPv4 addresses, and answers nothing else (RFC 1035). */
final class NameServer implements AutoCloseable {
    private static final int HEADER = 12;
    private static final int ADDRESS = 1;
    private static final int INTERNET = 1;

    private final DatagramSocket socket;
    private final List<String> addresses;

    /** Listens on port 53 of an address of this machine. */
    NameServer(String listen, List<String> addresses) throws IOException {
        this.socket = new DatagramSocket(53, InetAddress.getByName(listen));
        this.addresses = addresses;
        Thread.ofVirtual().start(this::run);
    }

    /** Where it listens. */
    String address() {
        return socket.getLocalAddress().getHostAddress();
    }

    private void run() {
        byte[] buffer = new byte[512];
        while (!socket.isClosed()) {
            DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
            try {
                socket.receive(packet);
                byte[] answer = answer(buffer);
                socket.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
            } catch (IOException e) {
                if (!socket.isClosed()) {
                    throw new java.io.UncheckedIOException(e);
                }
            }
        }
    }

    private byte[] answer(byte[] query) throws IOException {
        int end = HEADER;
        while (query[end] != 0) {
            end += 1 + query[end];
        }
        int type = (query[end + 1] & 0xff) << 8 | query[end + 2] & 0xff;
        List<String> found = type == ADDRESS ? addresses : List.of();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.write(query, 0, 2); // id
        out.writeShort(0x8580); // an answer with authority, recursion wanted and available
        out.writeShort(1);
        out.writeShort(found.size());
        out.writeShort(0);
        out.writeShort(0);
        out.write(query, HEADER, end + 5 - HEADER); // the question
        for (String address : found) {
            out.writeShort(0xc000 | HEADER); // the question's name
            out.writeShort(ADDRESS);
            out.writeShort(INTERNET);
            out.writeInt(1); // seconds to live
            out.writeShort(4);
            out.write(InetAddress.getByName(address).getAddress());
        }
        return bytes.toByteArray();
    }

    @Override
    public void close() {
        socket.close();
    }
}
