package skulk.membership.jgroups;

import java.util.List;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** Keeps JGroups' own log to warnings and words its failed handshakes so that an operator knows what to do. */
final class JGroupsLog {
    /** JGroups' code for a connection that could not be accepted. */
    private static final String ACCEPT_FAILED = "JGRP000006";

    /** The log manager holds loggers weakly: kept here as long as the plugin lives. */
    private final List<Logger> loggers = List.of(
            Logger.getLogger("org.jgroups"),
            Logger.getLogger("org.jgroups.protocols.TCP"),
            Logger.getLogger("org.jgroups.blocks.cs.TcpServer"));

    JGroupsLog() {
        loggers.getFirst().setLevel(Level.WARNING);
        loggers.forEach(logger -> logger.setFilter(JGroupsLog::reword));
    }

    private static boolean reword(LogRecord entry) {
        String message = String.valueOf(entry.getMessage());
        if (message.contains(ACCEPT_FAILED)) {
            int host = message.indexOf("hostname=");
            String peer = host < 0 ? "a peer" : message.substring(host + 9, message.indexOf(',', host));
            entry.setMessage("Refused a connection from " + peer + ": it does not know this cluster's secret");
            entry.setThrown(null);
        }
        return true;
    }
}
