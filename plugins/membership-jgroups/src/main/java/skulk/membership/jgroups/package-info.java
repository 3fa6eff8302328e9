/**
 * Cluster membership over JGroups: who is in, who coordinates, ordered messages.
 *
 * @see skulk.membership.jgroups.JGroupsMembership
 */
package skulk.membership.jgroups;
