package skulk.membership.jgroups;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jgroups.Address;
import org.jgroups.util.ExtendedUUID;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeProfile;

/**
 * A member's profile inside its JGroups address. A view therefore arrives with the profiles of all its members, in one piece, and no second exchange can be
 * lost or late.
 */
final class MemberAddress {
    /** JGroups stores the length of a value in one byte. */
    private static final int MAX_VALUE = 255;

    private MemberAddress() {}

    static ExtendedUUID of(NodeProfile profile) {
        return ExtendedUUID.randomUUID(profile.friendlyName())
                .put("id", bytes(profile.id().value()))
                .put("name", bytes(profile.friendlyName()))
                .put("version", bytes(profile.version()))
                .put("addresses", bytes(fitting(profile.addresses())))
                .put("api", bytes(Integer.toString(profile.apiPort())))
                .put("preferred", bytes(Boolean.toString(profile.preferredCoordinator())));
    }

    /** The profile, or empty for an address that is not one of ours. */
    static Optional<NodeProfile> profile(Address address) {
        if (!(address instanceof ExtendedUUID uuid) || !uuid.keyExists("id")) {
            return Optional.empty();
        }
        String addresses = text(uuid, "addresses");
        return Optional.of(new NodeProfile(
                new NodeId(text(uuid, "id")),
                text(uuid, "name"),
                text(uuid, "version"),
                addresses.isEmpty() ? List.of() : List.of(addresses.split(",")),
                Integer.parseInt(text(uuid, "api")),
                Boolean.parseBoolean(text(uuid, "preferred"))));
    }

    static boolean preferred(Address address) {
        return profile(address).map(NodeProfile::preferredCoordinator).orElse(false);
    }

    private static String fitting(List<String> addresses) {
        List<String> kept = new ArrayList<>();
        for (String address : addresses) {
            kept.add(address);
            if (bytes(String.join(",", kept)).length > MAX_VALUE) {
                kept.removeLast();
                break;
            }
        }
        return String.join(",", kept);
    }

    private static byte[] bytes(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return bytes.length <= MAX_VALUE ? bytes : java.util.Arrays.copyOf(bytes, MAX_VALUE);
    }

    private static String text(ExtendedUUID uuid, String key) {
        byte[] value = uuid.get(key); // an empty value arrives as none
        return value == null ? "" : new String(value, StandardCharsets.UTF_8);
    }
}
