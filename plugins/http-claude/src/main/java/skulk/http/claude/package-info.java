/**
 * The Claude dialect: {@code POST /v1/messages} and its token counter.
 *
 * @see skulk.http.claude.MessagesEndpoint
 */
package skulk.http.claude;
