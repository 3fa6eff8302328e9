package skulk.runner.mlx.embed;

import java.util.Arrays;
import java.util.Optional;
import skulk.api.problem.Problem.Kind;
import skulk.api.problem.SkulkException;
import skulk.runner.mlx.checkpoint.Fields;

/**
 * Which lengths a model's vectors may be cut to. Only models trained for it (Matryoshka representation learning) keep their
 * meaning; their {@code config.json} says {@code is_matryoshka} or lists {@code matryoshka_dimensions}.
 *
 * @param width length as the model makes them
 * @param any every shorter length will do
 * @param listed the lengths that the model was trained for, if it lists them
 */
record Dimensions(int width, boolean any, Optional<int[]> listed) {

    /** @param any the caller knows that the model allows it */
    static Dimensions of(Fields config, int width, boolean any) {
        Optional<int[]> listed = config.numbers("matryoshka_dimensions")
                .map(values -> Arrays.stream(values).mapToInt(v -> (int) v).toArray());
        return new Dimensions(width, any || config.flag("is_matryoshka", false), listed);
    }

    /** The length of a request's vectors. @throws SkulkException naming the field where the model does not allow it */
    int choose(Optional<Integer> wanted) {
        if (wanted.isEmpty() || wanted.get() == width) {
            return width;
        }
        int length = wanted.get();
        if (!any && listed.isEmpty()) {
            throw wrong(length, "this model makes vectors of " + width + " only");
        }
        if (length < 1 || length > width) {
            throw wrong(length, "vectors have 1 to " + width);
        }
        if (listed.isPresent() && Arrays.stream(listed.get()).noneMatch(d -> d == length)) {
            throw wrong(length, "possible are " + Arrays.toString(listed.get()));
        }
        return length;
    }

    private static SkulkException wrong(int length, String what) {
        return new SkulkException(Kind.USER_ERROR, "dimensions is " + length + "; " + what);
    }
}
