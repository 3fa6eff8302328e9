package skulk.api.cluster;

/** An amount of memory or disk in bytes; {@code {"inBytes": n}} on the wire. */
public record Memory(long inBytes) {
    public static final Memory NONE = new Memory(0);

    /** Gigabytes of 10⁹ bytes, the unit that refusals are worded in. */
    public double gigabytes() {
        return inBytes / 1e9;
    }
}
