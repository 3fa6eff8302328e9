package skulk.kernel.inference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import skulk.api.cluster.Instance;
import skulk.api.cluster.NodeId;
import skulk.api.problem.Problem;
import skulk.kernel.rank.Samples;

class InFlightTest {
    private final Instance first = Samples.instance("org/model", NodeId.random());
    private final Instance second = Samples.instance("org/model", NodeId.random());

    /** Notes what it is asked; while it is told of a loss, another thread's view of the cluster already knows another instance. */
    private class Noting implements InFlight.Host {
        private final List<Instance> cancelled = new ArrayList<>();
        private Optional<InFlight.Attempt> early = Optional.empty();
        private int waits;

        @Override
        public void cancel(InFlight request) {
            cancelled.add(request.instance());
        }

        @Override
        public void told(InFlight.Told told) {}

        @Override
        public boolean recoverable(InFlight request, int attempt) {
            return true;
        }

        @Override
        public void waits(InFlight request) {
            waits++;
        }

        @Override
        public void interrupted(InFlight request, Problem loss) {
            if (request.waiting()) {
                early = request.resume(second);
            }
            cancel(request);
        }
    }

    private static Problem lost() {
        return Problem.of(Problem.Kind.INTERNAL, Dispatcher.LOST, "lost");
    }

    @Test
    void goesOnOnlyAfterTheLostAttemptWasCancelled() {
        Noting host = new Noting();
        InFlight request = new InFlight(Samples.request("org/model", 5), first, Duration.ofSeconds(5), host);
        request.lose(1, lost());
        assertEquals(Optional.empty(), host.early);
        assertEquals(List.of(first), host.cancelled);
        assertEquals(1, host.waits);
        assertEquals(2, request.resume(second).orElseThrow().number());
        assertEquals(second, request.instance());
    }

    @Test
    void doesNotWaitWhereItIsClosedMeanwhile() {
        Noting host = new Noting() {
            @Override
            public void interrupted(InFlight request, Problem loss) {
                request.close();
            }
        };
        InFlight request = new InFlight(Samples.request("org/model", 5), first, Duration.ofSeconds(5), host);
        request.lose(1, lost());
        assertEquals(0, host.waits);
        assertTrue(request.resume(second).isEmpty());
    }
}
