package skulk.api.cluster;

/** How ranks are joined; {@code toString()} is the wire's word. */
public enum InstanceMeta {
    MLX_RING("MlxRing"),
    MLX_JACCL("MlxJaccl");

    private final String wire;

    InstanceMeta(String wire) {
        this.wire = wire;
    }

    @Override
    public String toString() {
        return wire;
    }
}
