/**
 * Hand-written doubles for plugin tests, shipped as the API's test jar.
 *
 * @see skulk.api.fake.FakeContext
 */
package skulk.api.fake;
