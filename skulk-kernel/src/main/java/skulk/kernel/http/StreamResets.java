package skulk.kernel.http;

import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Requests of a shared connection that the client gives up: Helidon learns of it (RST_STREAM, RFC 9113 section 6.4) but tells nobody until somebody writes, so
 * that this looks at the frames as they go by. {@link #seen} is called by one thread at a time, the others from any.
 */
final class StreamResets {
    private static final int HEADER = 9;
    private static final int TYPE = 3;
    private static final int STREAM = 5;
    private static final int RST_STREAM = 3;
    /** Resets that came before their request was watched, the newest. */
    private static final int MOST = 1024;

    private final byte[] header = new byte[HEADER];
    private final Map<Integer, List<Runnable>> watches = new HashMap<>();
    private final Set<Integer> early = new LinkedHashSet<>();
    private int held;
    private int greeted;
    private long skip;

    /** Takes the next bytes that the client has sent, the first of them the connection's preface; what begins otherwise is not looked at. */
    void seen(byte[] bytes) {
        for (int at = 0; at < bytes.length; ) {
            if (greeted < Guard.HTTP2_PREFACE.length) {
                skip = bytes[at++] == Guard.HTTP2_PREFACE[greeted++] ? skip : Long.MAX_VALUE;
            } else if (skip > 0) {
                long step = Math.min(skip, bytes.length - at);
                skip -= step;
                at += (int) step;
            } else {
                header[held++] = bytes[at++];
                if (held == HEADER) {
                    held = 0;
                    frame();
                }
            }
        }
    }

    private void frame() {
        skip = (header[0] & 0xFF) << 16 | (header[1] & 0xFF) << 8 | header[2] & 0xFF;
        if (header[TYPE] == RST_STREAM) {
            reset((header[STREAM] & 0x7F) << 24
                    | (header[STREAM + 1] & 0xFF) << 16
                    | (header[STREAM + 2] & 0xFF) << 8
                    | header[STREAM + 3] & 0xFF);
        }
    }

    private void reset(int stream) {
        List<Runnable> actions;
        synchronized (this) {
            actions = watches.getOrDefault(stream, List.of());
            early.add(stream);
            if (early.size() > MOST) {
                Iterator<Integer> oldest = early.iterator();
                oldest.next();
                oldest.remove();
            }
        }
        actions.forEach(Runnable::run);
    }

    /** Runs an action when the client gives this stream up; at once where it has already. */
    void watch(int stream, Runnable action) {
        synchronized (this) {
            watches.computeIfAbsent(stream, id -> new CopyOnWriteArrayList<>()).add(action);
            if (!early.contains(stream)) {
                return;
            }
        }
        action.run();
    }

    /** The request of this stream is done. */
    synchronized void ended(int stream) {
        watches.remove(stream);
        early.remove(stream);
    }
}
