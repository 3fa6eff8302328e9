package skulk.http.openai;

import skulk.api.Cluster;
import skulk.api.cluster.CommandId;
import skulk.api.http.Exchange;
import skulk.api.json.JsonObject;
import skulk.api.operation.Operation;

/** {@code POST /v1/cancel/{command_id}} (contract section 2). */
record CancelEndpoint(Cluster cluster) {
    void handle(Exchange exchange) {
        CommandId command = cluster.call(new Operation.CancelCommand(new CommandId(exchange.path("command_id"))));
        exchange.respond(JsonObject.builder()
                .put("message", "Command cancelled.")
                .put("command_id", command.value())
                .build());
    }
}
