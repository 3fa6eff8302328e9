package skulk.kernel.http;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/** Percent-decoding as RFC 3986 has it, strict: a broken escape or text that is not UTF-8 is a USER_ERROR. */
final class Percent {
    private Percent() {}

    /** The decoded text of one path segment or one side of a query pair. */
    static String decode(String raw, boolean plusIsSpace) {
        if (raw.indexOf('%') < 0 && (!plusIsSpace || raw.indexOf('+') < 0)) {
            return raw;
        }
        byte[] bytes = new byte[raw.length() * 3];
        int length = 0;
        int i = 0;
        while (i < raw.length()) {
            char c = raw.charAt(i);
            if (c == '%') {
                int high = i + 2 < raw.length() ? Character.digit(raw.charAt(i + 1), 16) : -1;
                int low = i + 2 < raw.length() ? Character.digit(raw.charAt(i + 2), 16) : -1;
                if (high < 0 || low < 0) {
                    throw broken(raw);
                }
                bytes[length++] = (byte) (high << 4 | low);
                i += 2; // and one more below
            } else if (c == '+' && plusIsSpace) {
                bytes[length++] = ' ';
            } else {
                byte[] plain = Character.toString(c).getBytes(StandardCharsets.UTF_8);
                System.arraycopy(plain, 0, bytes, length, plain.length);
                length += plain.length;
            }
            i++;
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes, 0, length))
                    .toString();
        } catch (CharacterCodingException e) {
            throw broken(raw);
        }
    }

    /** The pairs of a query, in order; a name without {@code =} has an empty value. */
    static Map<String, List<String>> query(String raw) {
        Map<String, List<String>> values = new LinkedHashMap<>();
        for (String pair : raw.split("&")) {
            if (!pair.isEmpty()) {
                int equals = pair.indexOf('=');
                String name = decode(equals < 0 ? pair : pair.substring(0, equals), true);
                String value = equals < 0 ? "" : decode(pair.substring(equals + 1), true);
                values.computeIfAbsent(name, n -> new ArrayList<>()).add(value);
            }
        }
        return values;
    }

    private static SkulkException broken(String raw) {
        String shown = raw.length() > 100 ? raw.substring(0, 100) + "…" : raw;
        return new SkulkException(Problem.Kind.USER_ERROR, "not valid percent-encoded UTF-8: " + shown);
    }
}
