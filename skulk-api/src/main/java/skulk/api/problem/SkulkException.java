package skulk.api.problem;

/** The one exception that crosses the API; carries a {@link Problem}. Expected answers are values and never this. */
public class SkulkException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient Problem problem;

    public SkulkException(Problem problem) {
        super(problem.message());
        this.problem = problem;
    }

    public SkulkException(Problem problem, Throwable cause) {
        super(problem.message(), cause);
        this.problem = problem;
    }

    public SkulkException(Problem.Kind kind, String message) {
        this(Problem.of(kind, message));
    }

    public Problem problem() {
        return problem;
    }
}
