/**
 * Rank processes: how the node starts, watches, talks to and ends them, and what runs inside of them.
 *
 * @see skulk.kernel.rank.RankHost
 */
package skulk.kernel.rank;
