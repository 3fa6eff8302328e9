// Calls to the node that served this page.

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The sentence in any of the API's error bodies. */
async function complaint(response) {
  const text = await response.text();
  try {
    const body = JSON.parse(text);
    const detail = Array.isArray(body.detail)
      ? body.detail.map((d) => `${d.loc.join('.')}: ${d.msg}`).join('; ')
      : body.detail;
    return body.error?.message ?? detail ?? text;
  } catch {
    return text || response.statusText;
  }
}

/** A response with status 2xx; anything else throws an ApiError. The browser adds the cookie of the session by itself. */
export async function request(method, path, body, signal, key) {
  const headers = {};
  if (key) headers.Authorization = `Bearer ${key}`;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const response = await fetch(path, {
    method,
    headers,
    signal,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!response.ok) throw new ApiError(response.status, await complaint(response));
  return response;
}

const json = async (method, path, body) => (await request(method, path, body)).json();

export const get = (path) => json('GET', path);
export const post = (path, body) => json('POST', path, body);
export const put = (path, body) => json('PUT', path, body);
export const del = (path) => json('DELETE', path);
/** Has the node put a key into a cookie that no script can read; throws where the key is not known. */
export const login = (key) => request('POST', '/login', undefined, undefined, key);
export const logout = () => request('DELETE', '/login');
/** A model id in a path: its slash stays a slash. */
export const modelPath = (id) => id.split('/').map(encodeURIComponent).join('/');
