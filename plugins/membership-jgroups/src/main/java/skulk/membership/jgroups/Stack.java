package skulk.membership.jgroups;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jgroups.Address;
import org.jgroups.protocols.FD_ALL3;
import org.jgroups.protocols.FD_SOCK2;
import org.jgroups.protocols.FRAG4;
import org.jgroups.protocols.MERGE3;
import org.jgroups.protocols.MFC;
import org.jgroups.protocols.MPING;
import org.jgroups.protocols.TCP;
import org.jgroups.protocols.TCPPING;
import org.jgroups.protocols.UFC;
import org.jgroups.protocols.UNICAST3;
import org.jgroups.protocols.VERIFY_SUSPECT2;
import org.jgroups.protocols.dns.DNS_PING;
import org.jgroups.protocols.pbcast.GMS;
import org.jgroups.protocols.pbcast.NAKACK2;
import org.jgroups.protocols.pbcast.STABLE;
import org.jgroups.stack.MembershipChangePolicy;
import org.jgroups.stack.Protocol;
import org.jgroups.util.TLS;

/** Puts the protocol stack together; every number here was measured or has its reason beside it. */
final class Stack {
    /** Joins over a cold, encrypted connection need more than a second; too short a time makes a second cluster of one. */
    private static final long JOIN_TIMEOUT_MILLIS = 3000;

    /** Twenty seconds of twice a second. */
    private static final int LAST_WORDS = 40;

    private static final long GOSSIP_MILLIS = 5000;

    private Stack() {}

    static List<Protocol> protocols(Network network, InetAddress address, Optional<TLS> tls) throws Exception {
        List<Protocol> stack = new ArrayList<>();
        TCP transport = transport(network, address);
        tls.ifPresent(transport::tls);
        stack.add(transport);
        stack.addAll(discovery(network, address));
        stack.add(new MERGE3().setMinInterval(1000).setMaxInterval(3000));
        // a closed connection is noticed at once; its own port is bound to the cluster's address and carries nothing
        // but liveness
        stack.add(new FD_SOCK2().setBindAddress(address).setPortRange(100));
        // noticed at the first look after the time-out, and verified after that: together the silence that was asked
        // for
        long look = Math.clamp(network.silence().toMillis() / 8, 100, 1000);
        long verify = Math.min(250, network.silence().toMillis() / 4);
        stack.add(new FD_ALL3()
                .setTimeout(Math.max(look, network.silence().toMillis() - look - verify))
                .setInterval(look));
        stack.add(new VERIFY_SUSPECT2().setTimeout(verify));
        // whoever missed the last thing that was said to all learns of it by its number alone: it is told again for as
        // long as a link may lose what is sent (the default is once, half a second later), and compared ever after
        stack.add(new NAKACK2().useMcastXmit(false).setResendLastSeqnoMaxTimes(LAST_WORDS));
        stack.add(new UNICAST3());
        stack.add(new STABLE().setDesiredAverageGossip(GOSSIP_MILLIS));
        stack.add(membership(network));
        stack.add(new UFC());
        stack.add(new MFC());
        stack.add(new FRAG4());
        return stack;
    }

    private static TCP transport(Network network, InetAddress address) throws IOException {
        TCP tcp = new Lanes();
        // JGroups takes no free port by itself where peers are named
        int port = network.port() == 0 ? freePort(address) : network.port();
        tcp.setBindAddress(address).setBindPort(port).setPortRange(network.port() == 0 ? 100 : 0);
        tcp.useVirtualThreads(true);
        // off by default; with it off a message over 16 KB waits 90 ms for Nagle and the delayed acknowledgement
        tcp.tcpNodelay(true);
        tcp.setSockConnTimeout(1000).logDetails(false);
        // the handshake of a joining node on a machine under load
        tcp.setPeerAddrReadTimeout(5000);
        // else closing a TLS connection waits for a write that is stuck in it
        tcp.setLinger(1);
        return tcp;
    }

    private static int freePort(InetAddress address) throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, address)) {
            return socket.getLocalPort();
        }
    }

    private static List<Protocol> discovery(Network network, InetAddress address) throws Exception {
        List<Protocol> found = new ArrayList<>();
        TCPPING ping = new TCPPING();
        // whoever is asked names all members it knows: the coordinator need not be among the peers that a node is given
        ping.setInitialHosts(network.peers()).setPortRange(0).returnEntireCache(true);
        found.add(ping);
        if (network.multicast()) {
            MPING multicast = new MPING();
            multicast.setBindAddr(address);
            found.add(multicast);
        }
        if (network.dns().isPresent()) {
            found.add(new DNS_PING().setDNSQuery(network.dns().get()));
        }
        return found;
    }

    private static GMS membership(Network network) {
        GMS gms = new GMS();
        gms.setJoinTimeout(network.looksForPeers() ? JOIN_TIMEOUT_MILLIS : 50)
                .setMaxJoinAttempts(2)
                .printLocalAddress(false)
                .setViewAckCollectionTimeout(2000)
                .logCollectMessages(false)
                .logViewWarnings(false)
                .setMembershipChangePolicy(new EldestFirst());
        return gms;
    }

    /** Eldest first, but members that want to coordinate ({@code --force-master}) before all others. */
    static final class EldestFirst implements MembershipChangePolicy {
        @Override
        public List<Address> getNewMembership(
                Collection<Address> current,
                Collection<Address> joiners,
                Collection<Address> leavers,
                Collection<Address> suspects) {
            Set<Address> members = new LinkedHashSet<>(current);
            members.addAll(joiners);
            members.removeAll(leavers);
            members.removeAll(suspects);
            return ordered(members);
        }

        /** On a merge the larger part keeps its order and so its coordinator; equal parts are ordered by their eldest member's address. */
        @Override
        public List<Address> getNewMembership(Collection<Collection<Address>> subviews) {
            Set<Address> members = new LinkedHashSet<>();
            subviews.stream()
                    .sorted((a, b) -> a.size() != b.size()
                            ? Integer.compare(b.size(), a.size())
                            : a.iterator().next().compareTo(b.iterator().next()))
                    .forEach(members::addAll);
            return ordered(members);
        }

        private static List<Address> ordered(Set<Address> members) {
            List<Address> list = new ArrayList<>();
            members.stream().filter(MemberAddress::preferred).forEach(list::add);
            members.stream().filter(m -> !MemberAddress.preferred(m)).forEach(list::add);
            return list;
        }
    }
}
