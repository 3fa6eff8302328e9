package skulk.kernel.inference;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.NodeId;
import skulk.api.generation.GenerationEvent;
import skulk.kernel.cluster.Message;

/** Events of a generation on their way to the node that asked: those that wait together travel together, and the rank never waits for the network. */
final class Outbound implements Consumer<GenerationEvent> {
    private final NodeId to;
    private final CommandId command;
    private final int attempt;
    private final BiConsumer<NodeId, Message> send;
    private final Consumer<Outbound> over;
    private final ConcurrentLinkedQueue<GenerationEvent> queue = new ConcurrentLinkedQueue<>();
    private final AtomicInteger waiting = new AtomicInteger();

    /**
     * @param attempt which attempt of the request this is, told with each event
     * @param over hears of the end
     */
    Outbound(NodeId to, CommandId command, int attempt, BiConsumer<NodeId, Message> send, Consumer<Outbound> over) {
        this.to = to;
        this.command = command;
        this.attempt = attempt;
        this.send = send;
        this.over = over;
    }

    NodeId to() {
        return to;
    }

    /** Tells that the request is worked on, where nothing else does. */
    void pulse() {
        if (waiting.get() == 0) {
            send.accept(to, new Message.Data.Deliver(command, attempt, List.of()));
        }
    }

    CommandId command() {
        return command;
    }

    @Override
    public void accept(GenerationEvent event) {
        queue.add(event);
        if (waiting.getAndIncrement() == 0) {
            Thread.ofVirtual().name("deliver").start(this::drain);
        }
    }

    private void drain() {
        int seen = waiting.get();
        do {
            List<GenerationEvent> events = new ArrayList<>();
            for (GenerationEvent event = queue.poll(); event != null; event = queue.poll()) {
                events.add(event);
            }
            if (!events.isEmpty()) {
                send.accept(to, new Message.Data.Deliver(command, attempt, events));
                GenerationEvent last = events.getLast();
                if (last instanceof GenerationEvent.Finished || last instanceof GenerationEvent.Failed) {
                    over.accept(this);
                }
            }
            seen = waiting.addAndGet(-seen);
        } while (seen != 0);
    }
}
