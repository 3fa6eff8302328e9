// The picture of the cluster: nodes with memory and load, links with latency, instances as rings.

import { s } from './dom.js';
import { instances } from './store.js';
import { bytes, nodeName, percent } from './format.js';

const RADIUS = 40;

/** The drawing's own units: narrow screens get a narrow drawing, so that text stays readable. */
const width = () => (innerWidth < 640 ? 400 : 820);
const height = (count) => [180, 180, 200, 335][count] ?? 400;

/** On an ellipse; two nodes side by side, an odd one on top, even numbers with a flat top. */
function positions(ids) {
  const count = ids.length;
  const x = width() / 2;
  const y = count === 3 ? 175 : height(count) / 2 - 20;
  if (count === 1) return { [ids[0]]: { x, y } };
  const wide = count === 2 ? x / 2 : x - (x < 300 ? 70 : 120);
  const start = count === 2 ? Math.PI : -Math.PI / 2 - (count % 2 ? 0 : Math.PI / count);
  return Object.fromEntries(
    ids.map((id, i) => {
      const angle = start + (2 * Math.PI * i) / count;
      return [id, { x: x + wide * Math.cos(angle), y: y + (count === 2 ? 0 : 125 * Math.sin(angle)) }];
    }),
  );
}

const level = (ratio) => (ratio > 0.92 ? 'bad' : ratio > 0.8 ? 'warn' : '');

function arc(className, radius, ratio, width) {
  const round = 2 * Math.PI * radius;
  return s('circle', {
    class: className,
    r: radius,
    'stroke-width': width,
    'stroke-dasharray': `${round * Math.min(1, ratio)} ${round}`,
    transform: 'rotate(-90)',
  });
}

function links(state, at) {
  const drawn = [];
  for (const [from, sinks] of Object.entries(state.topology.connections)) {
    for (const [to, edges] of Object.entries(sinks)) {
      const back = state.topology.connections[to]?.[from];
      if (!at[from] || !at[to] || (back && from > to)) continue;
      const { x: x1, y: y1 } = at[from];
      const { x: x2, y: y2 } = at[to];
      drawn.push(s('line', { class: 'link', x1, y1, x2, y2, 'stroke-dasharray': back ? null : '3 5' }));
      const micros = edges[0]?.latencyMicros;
      if (micros)
        drawn.push(
          s(
            'text',
            { class: 'dim', x: 0.45 * x1 + 0.55 * x2, y: 0.45 * y1 + 0.55 * y2 - 6, 'text-anchor': 'middle' },
            micros < 1000 ? `${Math.round(micros)} µs` : `${(micros / 1000).toFixed(1)} ms`,
          ),
        );
    }
  }
  return drawn;
}

function rings(state, at) {
  return instances(state)
    .filter((i) => i.ranks.length > 1)
    .map((instance, n) => {
      const points = instance.ranks
        .map((r) => at[r.node])
        .filter(Boolean)
        .map(({ x, y }) => `${x},${y + 5 + 4 * n}`);
      const busy = instance.ranks.some((r) => r.status === 'RunnerRunning');
      return s('polygon', { class: busy ? 'ring busy' : 'ring', points: points.join(' '), opacity: 0.75 });
    });
}

function node(state, id, { x, y }, self, master) {
  const memory = state.nodeMemory[id];
  const used = memory ? 1 - memory.ramAvailable.inBytes / memory.ramTotal.inBytes : 0;
  const load = state.nodeSystem[id] ? Math.max(state.nodeSystem[id].pcpuUsage, state.nodeSystem[id].gpuUsage) : 0;
  const runs = instances(state).filter((i) => i.ranks.some((r) => r.node === id)).length;
  const marks = [id === master ? 'master' : '', id === self ? 'this node' : ''].filter(Boolean).join(', ');
  return s(
    'g',
    { transform: `translate(${x} ${y})` },
    s('circle', { class: 'track', r: RADIUS, 'stroke-width': 8 }),
    arc(`used ${level(used)}`, RADIUS, used, 8),
    arc('load', RADIUS - 8, load, 4),
    s('text', { 'text-anchor': 'middle', y: 1 }, memory ? percent(used) : '…'),
    s('text', { class: 'dim', 'text-anchor': 'middle', y: 17 }, memory ? bytes(memory.ramTotal.inBytes) : ''),
    s('text', { 'text-anchor': 'middle', y: RADIUS + 22, 'font-weight': 600 }, nodeName(state, id)),
    s(
      'text',
      { class: 'dim', 'text-anchor': 'middle', y: RADIUS + 38 },
      [marks, runs ? `${runs} model${runs > 1 ? 's' : ''}` : ''].filter(Boolean).join(' · '),
    ),
  );
}

export function topology({ state, self, master }) {
  const ids = Object.keys(state.lastSeen);
  const at = positions(ids);
  const label = `${ids.length} nodes: ${ids.map((id) => nodeName(state, id)).join(', ')}`;
  return s(
    'svg',
    { class: 'topology', viewBox: `0 0 ${width()} ${height(ids.length)}`, role: 'img', 'aria-label': label },
    links(state, at),
    rings(state, at),
    ids.map((id) => node(state, id, at[id], self, master)),
  );
}
