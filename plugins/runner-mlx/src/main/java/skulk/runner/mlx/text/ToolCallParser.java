package skulk.runner.mlx.text;

import java.util.ArrayList;
import java.util.List;
import skulk.api.generation.GenerationEvent.Channel;

/**
 * Finds tool calls in content. Outside of calls, text passes as soon as it cannot be the beginning of a marker; white
 * space before a call belongs to the call.
 */
final class ToolCallParser implements OutputParser {

    private enum At {
        CONTENT,
        /** Within the markers, where a call may begin. */
        BETWEEN,
        CALL,
        /** Within something that may turn out a call although no marker announced it. */
        BARE_CALL,
        /** Within the markers, behind something that was no call. */
        SKIP
    }

    private final OutputSink sink;
    private final ToolFormat format;
    private final ArgumentTypes types;
    private final List<String> markers = new ArrayList<>();
    private final MarkerScanner scanner;
    private final StringBuilder free = new StringBuilder();
    private final StringBuilder space = new StringBuilder();
    private final StringBuilder raw = new StringBuilder();
    private At at = At.CONTENT;
    private CallReader reader;
    private boolean marked;
    private boolean firstInMarker;
    private boolean bareAllowed;
    private boolean called;

    ToolCallParser(OutputSink sink, ToolFormat format, ArgumentTypes types) {
        this.sink = sink;
        this.format = format;
        this.types = types;
        this.reader = new NamedCallReader(sink);
        this.bareAllowed = format.bare();
        markers.addAll(format.open());
        markers.addAll(format.close());
        markers.addAll(format.noise());
        if (format.body() instanceof ToolFormat.Body.Tagged(TaggedCallReader.Tags tags)
                && !tags.nameOpen().isEmpty()) {
            markers.add(tags.nameOpen());
        }
        this.scanner = new MarkerScanner(markers);
    }

    @Override
    public void accept(char c) {
        if (at == At.CALL || at == At.BARE_CALL) {
            read(c);
            return;
        }
        int marker = scanner.accept(c, free);
        pass();
        if (marker != MarkerScanner.NONE) {
            marker(markers.get(marker));
        }
    }

    private void marker(String marker) {
        space.setLength(0);
        boolean tagged = format.body() instanceof ToolFormat.Body.Tagged(TaggedCallReader.Tags tags)
                && marker.equals(tags.nameOpen());
        if (tagged) {
            marked = true;
            begin(bodyReader());
        } else if (format.open().contains(marker)) {
            at = At.BETWEEN;
            marked = true;
            firstInMarker = true;
        } else if (format.close().contains(marker)) {
            at = At.CONTENT;
            marked = false;
        }
    }

    /** Characters that are no part of a marker. A call may begin among them, then the rest belongs to it. */
    private void pass() {
        passFree();
        if (at == At.CALL || at == At.BARE_CALL) {
            // what looked like a marker belongs to the call as well
            scanner.drain(free);
            passFree();
        }
    }

    private void passFree() {
        String text = free.toString();
        free.setLength(0);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (at) {
                case CONTENT -> content(c);
                case BETWEEN -> between(c);
                case CALL, BARE_CALL -> read(c);
                case SKIP -> {
                    // up to the closing marker
                }
            }
        }
    }

    private void content(char c) {
        if (Character.isWhitespace(c)) {
            space.append(c);
            return;
        }
        if (bareAllowed && (c == '{' || c == '[')) {
            at = At.BARE_CALL;
            raw.setLength(0);
            reader = new JsonCallReader(sink, types::known, true);
            read(c);
            return;
        }
        bareAllowed = false;
        emit(String.valueOf(c));
    }

    private void emit(String text) {
        if (!space.isEmpty()) {
            sink.text(Channel.CONTENT, space.toString());
            space.setLength(0);
        }
        sink.text(Channel.CONTENT, text);
    }

    private void between(char c) {
        if (c == '{') {
            begin(new JsonCallReader(sink, types::known, false));
            read(c);
        } else if (marked && Character.isLetter(c) && beginsWithName()) {
            begin(bodyReader());
            read(c);
        } else if (!Character.isWhitespace(c) && "[],;`".indexOf(c) < 0) {
            if (!marked || format.close().isEmpty()) {
                at = At.CONTENT;
                marked = false;
                content(c);
            } else {
                at = At.SKIP;
            }
        }
    }

    private boolean beginsWithName() {
        return switch (format.body()) {
            case ToolFormat.Body.Named named -> firstInMarker;
            case ToolFormat.Body.Loose loose -> true;
            case ToolFormat.Body.Tagged(TaggedCallReader.Tags tags) ->
                firstInMarker && tags.nameOpen().isEmpty();
            case ToolFormat.Body.JsonOnly json -> false;
        };
    }

    private CallReader bodyReader() {
        return switch (format.body()) {
            case ToolFormat.Body.Tagged(TaggedCallReader.Tags tags) -> new TaggedCallReader(sink, tags, types);
            case ToolFormat.Body.Named named -> new NamedCallReader(sink);
            case ToolFormat.Body.Loose(char open) -> new LooseCallReader(sink, open);
            case ToolFormat.Body.JsonOnly json -> new NamedCallReader(sink);
        };
    }

    private void begin(CallReader next) {
        at = At.CALL;
        firstInMarker = false;
        raw.setLength(0);
        reader = next;
    }

    private void read(char c) {
        raw.append(c);
        if (at == At.BARE_CALL && raw.length() == 1 && c == '[') {
            return;
        }
        switch (reader.accept(c)) {
            case MORE -> {
                if (reader.started()) {
                    raw.setLength(0);
                    space.setLength(0);
                    called = true;
                }
            }
            case DONE -> {
                called = true;
                space.setLength(0);
                at = closedItself() ? At.CONTENT : At.BETWEEN;
                marked &= at == At.BETWEEN;
                bareAllowed = false;
            }
            case REJECTED -> rejected();
        }
    }

    private boolean closedItself() {
        return format.body() instanceof ToolFormat.Body.Tagged(TaggedCallReader.Tags tags)
                && format.close().contains(tags.callClose())
                && reader instanceof TaggedCallReader;
    }

    private void rejected() {
        boolean announced = reader.started();
        if (announced) {
            sink.callEnded();
        } else if (!(reader instanceof TaggedCallReader)) {
            emit(raw.toString());
        }
        bareAllowed = false;
        raw.setLength(0);
        at = marked && !format.close().isEmpty() ? At.SKIP : At.CONTENT;
        marked &= at == At.SKIP;
    }

    @Override
    public void finish() {
        scanner.drain(free);
        pass();
        if (at == At.CALL || at == At.BARE_CALL) {
            if (reader.started()) {
                sink.callEnded();
            } else if (at == At.BARE_CALL) {
                emit(raw.toString());
            }
        } else if (!called && !space.isEmpty()) {
            emit("");
        }
    }
}
