package skulk.kernel.cluster;

import java.util.UUID;

/**
 * An event as its reporter made it.
 *
 * @param eventId lets the coordinator drop a report that comes twice, as after a change of coordinator
 */
public record Reported(String eventId, Event event) {

    public static Reported of(Event event) {
        return new Reported(UUID.randomUUID().toString(), event);
    }
}
