package skulk.api.telemetry;

import java.time.Duration;
import java.util.Map;

/** One measurement. Names are Prometheus names without unit suffixes of their own making; labels are few and bounded. */
public sealed interface Reading {
    String name();

    Map<String, String> labels();

    /** Something happened this often more. */
    record Count(String name, Map<String, String> labels, long by) implements Reading {
        public Count {
            labels = Map.copyOf(labels);
        }
    }

    /** Something stands at this value now. */
    record Level(String name, Map<String, String> labels, double value) implements Reading {
        public Level {
            labels = Map.copyOf(labels);
        }
    }

    /** Something took this long; summed up as a histogram. */
    record Timing(String name, Map<String, String> labels, Duration took) implements Reading {
        public Timing {
            labels = Map.copyOf(labels);
        }
    }
}
