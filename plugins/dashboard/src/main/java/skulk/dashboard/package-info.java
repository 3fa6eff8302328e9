/**
 * Serves the files under {@code web}; the pages themselves are plain JavaScript, starting at {@code web/app.js}.
 *
 * @see skulk.dashboard.DashboardFeature
 */
package skulk.dashboard;
