/**
 * What every wire dialect needs beside its own words: reading a body, keeping a stream alive, giving a generation up. Plugins cannot share code among themselves, so
 * it is here.
 *
 * @see skulk.api.dialect.DialectBody
 */
package skulk.api.dialect;
