/**
 * JSON as values: what crosses the API instead of any library's node type.
 *
 * @see skulk.api.json.Json
 */
package skulk.api.json;
