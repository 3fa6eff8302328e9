package skulk.api;

import skulk.api.telemetry.Reading;

/** Where measurements go. Never blocks, never throws; what arrives too fast is dropped and counted. */
@FunctionalInterface
public interface Telemetry {
    void record(Reading reading);
}
