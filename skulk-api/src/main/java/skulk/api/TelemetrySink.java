package skulk.api;

import skulk.api.telemetry.Reading;

/** Receives readings. */
public non-sealed interface TelemetrySink extends Extension {
    /** Called from one thread, in order; readings that arrive faster than this returns are dropped and counted. */
    void record(Reading reading);
}
