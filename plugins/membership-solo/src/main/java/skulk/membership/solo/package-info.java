/**
 * The membership for a machine on its own.
 *
 * @see skulk.membership.solo.SoloMembership
 */
package skulk.membership.solo;
