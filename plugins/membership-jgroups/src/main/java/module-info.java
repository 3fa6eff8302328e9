/** Membership of several machines over JGroups. */
module skulk.membership.jgroups {
    requires skulk.api;
    requires org.jgroups;
    requires java.logging;
    requires java.management;
    requires java.naming;

    provides skulk.api.Plugin with
            skulk.membership.jgroups.JGroupsPlugin;
    provides java.util.spi.ToolProvider with
            skulk.membership.jgroups.NetDoctor;

    // JGroups makes protocols by reflection on their class
    opens skulk.membership.jgroups to
            org.jgroups;
}
