package skulk.http.operator;

import java.util.List;
import java.util.function.Function;
import skulk.api.cluster.ClusterView;
import skulk.api.fake.FakeCluster;
import skulk.api.fake.FakeContext;
import skulk.api.fake.FakeExchange;
import skulk.api.http.Route;
import skulk.api.json.JsonObject;
import skulk.api.operation.Operation;

/** The feature over a cluster that the test sets up. */
final class Operator {
    final FakeCluster cluster = new FakeCluster();
    final OperatorFeature feature;

    Operator() {
        this(JsonObject.EMPTY);
    }

    /** With settings in its section. */
    Operator(JsonObject settings) {
        feature = OperatorFeature.of(FakeContext.create(settings).with(cluster));
    }

    /** A feature of these routes alone. */
    static OperatorFeature only(List<Route> routes) {
        return new OperatorFeature(routes);
    }

    Operator showing(ClusterView view) {
        cluster.show(view);
        return this;
    }

    Operator answering(Function<Operation<?>, Object> answers) {
        cluster.answering(answers);
        return this;
    }

    FakeExchange get(String template) {
        return new FakeExchange().run(feature, "GET", template);
    }

    FakeExchange get(String template, FakeExchange exchange) {
        return exchange.run(feature, "GET", template);
    }

    FakeExchange post(String template, String body) {
        return new FakeExchange().body(body).run(feature, "POST", template);
    }

    /** The last operation called. */
    Operation<?> last() {
        return cluster.calls().getLast();
    }
}
