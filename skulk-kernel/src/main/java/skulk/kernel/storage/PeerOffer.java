package skulk.kernel.storage;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Base64;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.json.Records;
import skulk.api.model.FilePart;
import skulk.api.model.ModelManifest;

/**
 * What a node tells another one about a copy that it has, over the cluster's own channel.
 *
 * @param parts what is here of the manifest's files and was verified
 * @param addresses of the node, best first
 * @param port where it hands out the bytes
 * @param key that a reader proves to know; told to members of the cluster only
 */
record PeerOffer(ModelManifest manifest, List<FilePart> parts, List<String> addresses, int port, byte[] key) {
    PeerOffer {
        parts = List.copyOf(parts);
        addresses = List.copyOf(addresses);
    }

    JsonObject toJson() {
        return JsonObject.builder()
                .put("manifest", Records.toJson(manifest))
                .put("parts", new JsonArray(parts.stream().map(Records::toJson).toList()))
                .put("addresses", addresses)
                .put("port", port)
                .put("key", Base64.getEncoder().encodeToString(key))
                .build();
    }

    /** @throws skulk.api.json.JsonException, IllegalArgumentException where it is malformed */
    static PeerOffer of(JsonObject json) {
        return new PeerOffer(
                Records.fromJson(json.object("manifest").orElse(JsonObject.EMPTY), ModelManifest.class),
                json.array("parts").orElse(JsonArray.of()).items().stream()
                        .map(part -> Records.fromJson(part, FilePart.class))
                        .toList(),
                json.array("addresses").orElse(JsonArray.of()).items().stream()
                        .map(a -> a instanceof JsonString(String text) ? text : "")
                        .toList(),
                Math.toIntExact(json.integer("port").orElse(0L)),
                Base64.getDecoder().decode(json.string("key").orElse("")));
    }

    /** The offered part of a file; nothing where there is none. */
    FilePart part(String path) {
        return parts.stream()
                .filter(p -> p.path().equals(path))
                .findFirst()
                .orElseGet(() -> new FilePart(path, List.of()));
    }

    /** A request for bytes, as it travels: what is asked, after the proof that the asker knows the key. */
    static byte[] signed(Json request, byte[] key) {
        byte[] text = request.toBytes();
        byte[] proof = proof(text, key);
        byte[] message = new byte[proof.length + text.length];
        System.arraycopy(proof, 0, message, 0, proof.length);
        System.arraycopy(text, 0, message, proof.length, text.length);
        return message;
    }

    static byte[] proof(byte[] text, byte[] key) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            mac.update("skulk peer\n".getBytes(StandardCharsets.US_ASCII));
            return mac.doFinal(text);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has HmacSHA256", e);
        }
    }
}
