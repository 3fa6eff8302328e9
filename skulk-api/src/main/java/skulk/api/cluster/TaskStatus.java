package skulk.api.cluster;

/** Contract section 1.3; {@code toString()} is the wire's word. */
public enum TaskStatus {
    PENDING("Pending"),
    RUNNING("Running"),
    COMPLETE("Complete"),
    TIMED_OUT("TimedOut"),
    FAILED("Failed"),
    CANCELLED("Cancelled");

    private final String wire;

    TaskStatus(String wire) {
        this.wire = wire;
    }

    public boolean isFinal() {
        return this != PENDING && this != RUNNING;
    }

    @Override
    public String toString() {
        return wire;
    }
}
