package skulk.api;

import java.util.List;
import skulk.api.http.Errors;
import skulk.api.http.Response;
import skulk.api.http.Route;
import skulk.api.problem.Problem;

/** A set of routes: a wire dialect, the operator endpoints, the dashboard. */
public non-sealed interface HttpFeature extends Extension {
    /** Asked once, at mounting; two features that claim the same method and path fail the start. */
    List<Route> routes();

    /** The error response of this feature's routes, for problems thrown by handlers and for refusals before them (401, 403, 413, 429). */
    default Response error(Problem problem) {
        return Errors.response(problem);
    }
}
