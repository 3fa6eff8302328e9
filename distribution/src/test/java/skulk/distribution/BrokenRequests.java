package skulk.distribution;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;

/**
 * Makes broken requests of good ones for every route of a node. Pure: the same number and routes give the same bytes, so that a fault can be sent again by
 * its number.
 */
final class BrokenRequests {
    private static final List<String> JUNK = List.of(
            "null",
            "true",
            "0",
            "-1",
            "1e400",
            "-1e308",
            "99999999999999999999999999",
            "9223372036854775807",
            "1.5",
            "0.0000000000000000000000000001",
            "\"\"",
            "\"x\"",
            "\"\\u0000\"",
            "\"\\ud800\"",
            "\"<|im_end|>\"",
            "\"<think>\"",
            "\"../../etc/passwd\"",
            "[]",
            "[[]]",
            "[null]",
            "[1,\"a\",{}]",
            "{}",
            "{\"type\":\"text\"}",
            "{\"type\":\"object\",\"$ref\":\"#\"}",
            "{\"type\":null}",
            "{\"role\":\"tool\"}",
            "[{\"type\":\"function\"}]",
            "[{\"role\":\"assistant\",\"tool_calls\":[{}]}]");
    private static final List<String> TYPES = List.of(
            "application/json",
            "application/json; charset=utf-16",
            "text/plain",
            "multipart/form-data; boundary=x",
            "application/x-www-form-urlencoded",
            "application/octet-stream",
            ";;;",
            "");
    private static final List<String> HEADERS = List.of(
            "X-A: " + "a".repeat(9000),
            "X-B",
            ": c",
            "X-D : d",
            "X-E: \0\1\2",
            "Content-Length: 5",
            "Content-Length: -1",
            "Content-Length: 99999999999999999999",
            "Transfer-Encoding: chunked",
            "Transfer-Encoding: gzip, chunked",
            "Content-Encoding: gzip",
            "Expect: 100-continue",
            "Expect: the worst",
            "Connection: Upgrade\r\nUpgrade: websocket",
            "Authorization: Bearer",
            "Authorization: Basic !!!",
            "Authorization: Bearer " + "k".repeat(700),
            "Cookie: skulk_key=" + "c".repeat(600) + "; ;=;",
            "x-api-key: \377",
            "anthropic-version: never",
            "anthropic-beta: a,b,,c",
            "Accept: text/event-stream;q=2",
            "Origin: null",
            "Origin: http://evil.example",
            "Host: a\r\nHost: b",
            "X-Forwarded-For: 1.2.3.4",
            "Range: bytes=5-1",
            "If-None-Match: \"");
    private static final List<String> METHODS =
            List.of("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "FOO", "get");

    private final List<Target> targets;
    private final long seed;

    /** One route with good bodies; none for routes without a body. */
    record Target(String method, String path, List<Json> bodies) {}

    /** How the sender behaves. */
    enum Manner {
        /** Sends all and reads all. */
        POLITE,
        /** Announces more than it sends, then ends its half. */
        SHORT,
        /** Closes without reading. */
        LEAVES,
        /** Reads a little of the answer, then closes. */
        PEEKS
    }

    /**
     * One request.
     *
     * @param route of the target that it was made of, for messages and counts
     */
    record Broken(int number, String route, byte[] bytes, Manner manner) {
        String shown() {
            String text = new String(bytes, StandardCharsets.ISO_8859_1);
            return "#%d %s %s: %s"
                    .formatted(number, manner, route, text.length() > 1500 ? text.substring(0, 1500) + "…" : text);
        }
    }

    BrokenRequests(List<Target> targets, long seed) {
        this.targets = List.copyOf(targets);
        this.seed = seed;
    }

    Broken request(int number) {
        Random random = new Random(seed * 1_000_003 + number);
        // every route in turn, so that none depends on luck
        Target target = targets.get(number % targets.size());
        Manner manner =
                switch (random.nextInt(20)) {
                    case 0 -> Manner.SHORT;
                    case 1 -> Manner.LEAVES;
                    case 2 -> Manner.PEEKS;
                    default -> Manner.POLITE;
                };
        byte[] body = target.bodies().isEmpty() && random.nextInt(4) > 0 ? new byte[0] : body(target, random);
        String method = random.nextInt(40) == 0 ? any(METHODS, random) : target.method();
        byte[] bytes = whole(method, path(target.path(), random), body, manner, random);
        return new Broken(number, target.method() + " " + target.path(), bytes, manner);
    }

    private byte[] body(Target target, Random random) {
        Json good = target.bodies().isEmpty() ? JsonObject.EMPTY : any(target.bodies(), random);
        return switch (random.nextInt(12)) {
            case 0 -> bytes(text(good), random);
            case 1 -> cut(text(good), random);
            case 2 -> deep(good, random);
            case 3 -> large(good, random);
            case 4 -> any(JUNK, random).getBytes(StandardCharsets.UTF_8);
            default -> {
                Json mutated = good;
                for (int n = 1 + random.nextInt(3); n > 0; n--) {
                    mutated = mutate(mutated, random);
                }
                yield text(mutated);
            }
        };
    }

    private static byte[] text(Json json) {
        return json.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] bytes(byte[] good, Random random) {
        byte[] bad = good.clone();
        for (int n = 1 + random.nextInt(4); n > 0 && bad.length > 0; n--) {
            bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
        }
        return bad;
    }

    private static byte[] cut(byte[] good, Random random) {
        return java.util.Arrays.copyOf(good, good.length == 0 ? 0 : random.nextInt(good.length));
    }

    private static byte[] deep(Json good, Random random) {
        int depth = 1 << (4 + random.nextInt(13));
        boolean closed = random.nextBoolean();
        String open = random.nextBoolean() ? "[" : "{\"a\":";
        String close = open.equals("[") ? "]" : "}";
        String nest = open.repeat(depth) + (closed ? "1" + close.repeat(depth) : "");
        return replaceOne(good, nest, random);
    }

    private static byte[] large(Json good, Random random) {
        String big =
                switch (random.nextInt(4)) {
                    case 0 -> "\"" + "long ".repeat(1 << random.nextInt(15)) + "\"";
                    case 1 -> "[" + "1,".repeat(1 << random.nextInt(15)) + "1]";
                    case 2 -> "9".repeat(1 << random.nextInt(15));
                    default -> {
                        StringBuilder members = new StringBuilder("{\"k\":0");
                        for (int i = 0; i < 1 << random.nextInt(12); i++) {
                            members.append(",\"k")
                                    .append(random.nextInt(5000))
                                    .append("\":")
                                    .append(i);
                        }
                        yield members.append('}').toString();
                    }
                };
        return replaceOne(good, big, random);
    }

    /** The body with one member replaced by a text that is JSON or not. */
    private static byte[] replaceOne(Json good, String value, Random random) {
        if (!(good instanceof JsonObject object) || object.members().isEmpty()) {
            return value.getBytes(StandardCharsets.UTF_8);
        }
        String name = any(List.copyOf(object.members().keySet()), random);
        StringBuilder body = new StringBuilder("{");
        object.members()
                .forEach((member, json) -> body.append(body.length() > 1 ? "," : "")
                        .append(Json.of(member))
                        .append(':')
                        .append(member.equals(name) ? value : json.toString()));
        return body.append('}').toString().getBytes(StandardCharsets.UTF_8);
    }

    private static Json mutate(Json value, Random random) {
        if (random.nextInt(7) == 0) {
            return Json.parse(any(JUNK, random));
        }
        return switch (value) {
            case JsonObject object
            when !object.members().isEmpty() -> {
                Map<String, Json> members = new LinkedHashMap<>(object.members());
                String name = any(List.copyOf(members.keySet()), random);
                switch (random.nextInt(9)) {
                    case 0 -> members.remove(name);
                    case 1 -> members.put("surprise", Json.NULL);
                    case 2 -> members.put(name, Json.NULL);
                    default -> members.put(name, mutate(members.get(name), random));
                }
                yield Json.of(members);
            }
            case JsonArray array
            when array.size() > 0 -> {
                List<Json> items = new ArrayList<>(array.items());
                int at = random.nextInt(items.size());
                switch (random.nextInt(6)) {
                    case 0 -> items.remove(at);
                    case 1 -> items.add(items.get(at));
                    default -> items.set(at, mutate(items.get(at), random));
                }
                yield new JsonArray(items);
            }
            default -> Json.parse(any(JUNK, random));
        };
    }

    private static String path(String template, Random random) {
        String path = template.replaceAll("\\{[^}]+}", random.nextInt(3) == 0 ? "a%2Fb/c" : "absent");
        return switch (random.nextInt(30)) {
            case 0 -> path + "%";
            case 1 -> path + "%zz";
            case 2 -> path + "/../../etc/passwd";
            case 3 -> path + "?" + "a=b&".repeat(1 + random.nextInt(2000));
            case 4 -> path + "?model_id=%ff%fe&limit=-1&status=%00";
            case 5 -> path + "/" + "x".repeat(1 << random.nextInt(15));
            case 6 -> path.replaceFirst("/", "//");
            case 7 -> path + "\0";
            default -> path;
        };
    }

    private static byte[] whole(String method, String path, byte[] body, Manner manner, Random random) {
        StringBuilder head = new StringBuilder()
                .append(method)
                .append(' ')
                .append(path)
                .append(random.nextInt(60) == 0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n")
                .append("Host: localhost\r\nConnection: close\r\n");
        boolean odd = random.nextInt(6) == 0;
        String type = odd ? any(TYPES, random) : "application/json";
        head.append("Content-Type: ").append(type).append("\r\n");
        for (int n = random.nextInt(8) == 0 ? 1 + random.nextInt(3) : 0; n > 0; n--) {
            head.append(any(HEADERS, random)).append("\r\n");
        }
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        boolean chunked = body.length > 0 && random.nextInt(15) == 0;
        if (chunked) {
            head.append("Transfer-Encoding: chunked\r\n\r\n");
            all.writeBytes(head.toString().getBytes(StandardCharsets.ISO_8859_1));
            int size = random.nextInt(4) == 0 ? body.length + 1 : body.length;
            all.writeBytes((Integer.toHexString(size) + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
            all.writeBytes(body);
            all.writeBytes(
                    (random.nextInt(4) == 0 ? "\r\nzz\r\n" : "\r\n0\r\n\r\n").getBytes(StandardCharsets.ISO_8859_1));
        } else {
            int length = manner == Manner.SHORT ? body.length + 1 + random.nextInt(1000) : body.length;
            head.append("Content-Length: ").append(length).append("\r\n\r\n");
            all.writeBytes(head.toString().getBytes(StandardCharsets.ISO_8859_1));
            all.writeBytes(body);
        }
        return all.toByteArray();
    }

    private static <T> T any(List<T> list, Random random) {
        return list.get(random.nextInt(list.size()));
    }
}
