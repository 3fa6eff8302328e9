package skulk.membership.jgroups;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jgroups.Address;
import org.jgroups.BytesMessage;
import org.jgroups.JChannel;
import org.jgroups.Message;
import org.jgroups.Receiver;
import org.jgroups.protocols.TCP;
import org.jgroups.stack.IpAddress;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import skulk.api.fake.FreePort;

/** A transport alone, without the protocols above that send again. */
class LanesTest {
    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

    private final List<JChannel> open = new CopyOnWriteArrayList<>();
    private final AtomicInteger received = new AtomicInteger();

    @AfterEach
    void close() {
        open.forEach(JChannel::close);
    }

    private JChannel channel(int port) throws Exception {
        TCP tcp = new Lanes();
        tcp.setBindAddress(LOOPBACK).setBindPort(port).setPortRange(0);
        tcp.useVirtualThreads(true);
        tcp.setSockConnTimeout(500);
        JChannel channel = new JChannel(tcp);
        channel.setReceiver(new Receiver() {
            @Override
            public void receive(Message message) {
                received.incrementAndGet();
            }
        });
        channel.connect("lanes");
        open.add(channel);
        return channel;
    }

    @Test
    void whoTakesNothingHoldsNobodyUpAndIsTriedAgain() throws Exception {
        AtomicInteger accepted = new AtomicInteger();
        try (ServerSocket deaf = new ServerSocket(0, 50, LOOPBACK)) {
            List<Socket> held = new CopyOnWriteArrayList<>();
            Thread.ofVirtual().start(() -> {
                try {
                    while (true) {
                        held.add(deaf.accept()); // and reads nothing
                        accepted.incrementAndGet();
                    }
                } catch (IOException e) {
                    assertTrue(deaf.isClosed());
                }
            });
            int there = FreePort.find();
            JChannel sender = channel(FreePort.find());
            channel(there);
            byte[] much = new byte[1 << 20];
            IpAddress nowhere = new IpAddress(LOOPBACK, deaf.getLocalPort());
            long begin = System.nanoTime();
            for (int i = 0; i < 64; i++) {
                sender.send(new BytesMessage(nowhere, much)); // more than sockets and lane take
            }
            for (int i = 0; i < 100; i++) {
                sender.send(new BytesMessage(new IpAddress(LOOPBACK, there), new byte[10]));
            }
            await().atMost(Duration.ofSeconds(5)).until(() -> received.get() == 100);
            Duration passed = Duration.ofNanos(System.nanoTime() - begin);
            assertTrue(passed.compareTo(Duration.ofSeconds(3)) < 0, "held up for " + passed);
            assertEquals(1, accepted.get());
            await().atMost(Duration.ofSeconds(10))
                    .pollInterval(Duration.ofMillis(100))
                    .until(() -> {
                        sender.send(new BytesMessage(nowhere, new byte[10]));
                        return accepted.get() > 1;
                    });
        }
    }

    /** Else one end keeps a connection that the other has forgotten, and refuses every new one. */
    @Test
    void aViewClosesWhatLeadsToThoseWhoLeftAndLeavesOthersAlone() throws Exception {
        int member = FreePort.find();
        int joining = FreePort.find();
        int own = FreePort.find();
        Lanes lanes = channel(own).getProtocolStack().findProtocol(Lanes.class);
        Address self = new IpAddress(LOOPBACK, own);
        for (int port : List.of(member, joining)) {
            channel(port).send(new BytesMessage(self, new byte[10]));
        }
        await().atMost(Duration.ofSeconds(5)).until(() -> received.get() == 2);
        lanes.retainAll(Set.of(self, new IpAddress(LOOPBACK, member)));
        lanes.retainAll(Set.of(self));
        await().atMost(Duration.ofSeconds(5))
                .until(() -> !lanes.printConnections().contains(":" + member + ":"));
        assertTrue(lanes.printConnections().contains(":" + joining + ":"), lanes::printConnections);
    }
}
