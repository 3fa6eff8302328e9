package skulk.api;

import java.io.IOException;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import skulk.api.cluster.MembershipView;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeProfile;

/** Who is in the cluster, and ordered messages between members. The eldest member coordinates; there is no election. */
public non-sealed interface Membership extends Extension {
    /**
     * Joins. The listener hears a first view before this returns.
     *
     * @throws IOException where the network does not allow it; the message says which address or port and why
     */
    Member join(NodeProfile self, Listener listener) throws IOException;

    /** Called by the membership from one thread at a time. Must not block. */
    interface Listener {
        void viewChanged(MembershipView view);

        /** A message, in order per sender. */
        void message(NodeId from, byte[] bytes);
    }

    /** This node's seat. Safe for use by several threads. */
    interface Member extends AutoCloseable {
        /** Sends to one member; silently lost where it has left. */
        void send(NodeId to, byte[] bytes);

        /** Sends to every other member. */
        void broadcast(byte[] bytes);

        /**
         * What connections beside the membership's own are secured with: mutual TLS that admits exactly the members. Empty where members only meet on loopback and
         * nothing is encrypted.
         */
        default Optional<SSLContext> tls() {
            return Optional.empty();
        }

        /** Leaves in good order. */
        @Override
        void close();
    }
}
