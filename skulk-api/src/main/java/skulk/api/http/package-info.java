/**
 * HTTP as plugins see it; the server behind it is the kernel's affair.
 *
 * @see skulk.api.http.Route
 */
package skulk.api.http;
