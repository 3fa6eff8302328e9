// Numbers and names for people.

export function bytes(count) {
  if (count == null) return '—';
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let left = count;
  while (left >= 1000 && unit < 4) {
    left /= 1000;
    unit++;
  }
  return `${left >= 100 || unit === 0 ? Math.round(left) : left.toFixed(1)} ${units[unit]}`;
}

export const percent = (ratio) => `${Math.round(100 * ratio)} %`;

export function seconds(value) {
  if (!value) return '—';
  if (value < 1) return `${Math.round(1000 * value)} ms`;
  return value < 100 ? `${value.toFixed(1)} s` : `${Math.round(value / 60)} min`;
}

export const micros = (value) => seconds(value / 1e6);

export function ago(time) {
  const passed = (Date.now() - new Date(time)) / 1000;
  if (passed < 60) return `${Math.max(0, Math.round(passed))} s ago`;
  if (passed < 5400) return `${Math.round(passed / 60)} min ago`;
  return passed < 129600 ? `${Math.round(passed / 3600)} h ago` : `${Math.round(passed / 86400)} days ago`;
}

export const rate = (tokens) => (tokens ? `${tokens < 10 ? tokens.toFixed(1) : Math.round(tokens)} tok/s` : '—');

/** The only key of a tagged value and what it holds: {"RunnerReady": {}} → ["RunnerReady", {}]. */
export const tagged = (value) => Object.entries(value)[0];

export const shortId = (id) => (id.length > 12 ? `${id.slice(0, 8)}…` : id);

export function nodeName(state, id) {
  const name = state.nodeIdentities[id]?.friendlyName;
  return name && name !== 'Unknown' ? name : shortId(id);
}
