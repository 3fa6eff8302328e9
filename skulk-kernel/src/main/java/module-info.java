/** The kernel: loads plugins, agrees on cluster state, supervises rank processes, routes requests. Exports nothing. */
module skulk.kernel {
    requires skulk.api;
    requires java.logging;
    requires java.management;
    requires java.net.http;
    requires jdk.management;
    requires jdk.net;
    requires io.helidon.common.buffers;
    requires io.helidon.common.concurrency.limits;
    requires io.helidon.common.socket;
    requires io.helidon.common.tls;
    requires io.helidon.http;
    requires io.helidon.webserver;
    requires io.helidon.webserver.http2;
    requires org.yaml.snakeyaml;

    // records of messages, events and frames, which skulk.api turns into JSON and back
    opens skulk.kernel.cluster to
            skulk.api;
    opens skulk.kernel.rank to
            skulk.api;

    uses skulk.api.Plugin;
    uses java.util.spi.ToolProvider;
}
