/**
 * HTTP over Helidon: the only package that imports it.
 *
 * @see skulk.kernel.http.HttpServer
 */
package skulk.kernel.http;
