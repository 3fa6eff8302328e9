/**
 * Who may use the node and how much: API keys, what pages in browsers may do without one, and the limits of each key.
 *
 * @see skulk.kernel.security.KeyAuthenticator
 */
package skulk.kernel.security;
