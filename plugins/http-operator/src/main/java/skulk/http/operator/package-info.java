/**
 * The operator's endpoints. Each class of routes is a thin translation between HTTP and {@link skulk.api.operation.Operation}.
 *
 * @see skulk.http.operator.OperatorFeature
 */
package skulk.http.operator;
