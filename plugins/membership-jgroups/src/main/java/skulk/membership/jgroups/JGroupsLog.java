package skulk.membership.jgroups;

import java.util.ArrayList;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Keeps JGroups' own log to warnings and words them so that an operator knows what to do. */
final class JGroupsLog {
    /** JGroups' code for a connection that could not be accepted. */
    private static final String ACCEPT_FAILED = "JGRP000006";
    /** Of every join, merge and departure: not yet and no longer known members, and connections that the other end closed first. */
    private static final List<String> EXPECTED =
            List.of("JGRP000011", "JGRP000032", "graceful close", "failed handling");
    /** An outage, not a refusal. */
    private static final String BROKEN_OFF = "java.net.SocketException";
    /** What our addresses carry, which JGroups prints with them. */
    private static final Pattern CARGO = Pattern.compile("\\(id=[^)]*\\)");

    /** The log manager holds loggers weakly: kept here as long as the plugin lives. */
    private final List<Logger> loggers = Stream.of(
                    "",
                    ".JChannel",
                    ".blocks.cs.TcpServer",
                    ".blocks.cs.TcpConnection",
                    ".protocols.TCP",
                    ".protocols.TCPPING",
                    ".protocols.MERGE3",
                    ".protocols.FD_SOCK2",
                    ".protocols.FD_ALL3",
                    ".protocols.VERIFY_SUSPECT2",
                    ".protocols.UNICAST3",
                    ".protocols.pbcast.NAKACK2",
                    ".protocols.pbcast.GMS")
            .map(name -> Logger.getLogger("org.jgroups" + name))
            .collect(Collectors.toCollection(ArrayList::new));

    JGroupsLog() {
        loggers.getFirst().setLevel(Level.WARNING);
        Logger transport = Logger.getLogger(Lanes.class.getName()); // JGroups logs for it under its own name
        transport.setLevel(Level.WARNING);
        loggers.add(transport);
        loggers.forEach(logger -> logger.setFilter(JGroupsLog::reword));
    }

    /** Lets the loggers go. */
    void close() {
        loggers.forEach(logger -> logger.setFilter(null));
    }

    static boolean reword(LogRecord entry) {
        if (entry.getLoggerName() == null) {
            entry.setLoggerName("org.jgroups.JGroups");
        }
        String message = CARGO.matcher(String.valueOf(entry.getMessage())).replaceAll("");
        entry.setMessage(message);
        if (message.contains(ACCEPT_FAILED)) {
            int host = message.indexOf("hostname=");
            if (host < 0 || message.contains(BROKEN_OFF)) {
                return false; // closed without a word, as whoever looks whether somebody listens does, or by an outage
            }
            String peer = message.substring(host + 9, message.indexOf(',', host));
            entry.setMessage("Refused a connection from " + peer + ": it does not know this cluster's secret");
            entry.setThrown(null);
        }
        return EXPECTED.stream().noneMatch(message::contains);
    }
}
