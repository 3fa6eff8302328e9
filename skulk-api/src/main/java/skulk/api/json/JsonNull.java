package skulk.api.json;

/** The JSON null; {@link Json#NULL} is the instance to use. */
public record JsonNull() implements Json {
    @Override
    public String toString() {
        return "null";
    }
}
