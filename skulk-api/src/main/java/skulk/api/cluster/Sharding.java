package skulk.api.cluster;

/** How a model is split; {@code toString()} is the wire's word and the name of the strategy. */
public enum Sharding {
    PIPELINE("Pipeline"),
    TENSOR("Tensor");

    private final String wire;

    Sharding(String wire) {
        this.wire = wire;
    }

    @Override
    public String toString() {
        return wire;
    }
}
