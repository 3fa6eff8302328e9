// Traces of requests: a list, and one trace as bars over time with sums by category.

import { action, h, modal } from './dom.js';
import { get, post, request } from './api.js';
import { ago, bytes, micros } from './format.js';

/** Spans of one rank and name are many (every decode step); beyond this they are drawn as one bar each from first to last. */
const MOST_BARS = 60;

function bars(spans) {
  const start = Math.min(...spans.map((s) => s.startUs));
  const end = Math.max(...spans.map((s) => s.startUs + s.durationUs));
  const groups = new Map();
  for (const span of spans) {
    const key = `rank ${span.rank} ${span.name}`;
    groups.set(key, [...(groups.get(key) ?? []), span]);
  }
  const at = (time) => (100 * (time - start)) / Math.max(1, end - start);
  const bar = (from, to, text) =>
    h('i', { style: `left:${at(from)}%;width:${Math.max(0.15, at(to) - at(from))}%`, title: text });
  return h(
    'div',
    { class: 'spans' },
    [...groups].map(([key, list]) => {
      const total = list.reduce((sum, s) => sum + s.durationUs, 0);
      const last = Math.max(...list.map((s) => s.startUs + s.durationUs));
      const drawn =
        list.length > MOST_BARS
          ? [bar(list[0].startUs, last, `${list.length} spans`)]
          : list.map((s) => bar(s.startUs, s.startUs + s.durationUs, `${s.name} ${micros(s.durationUs)}`));
      return h(
        'div',
        { class: 'span' },
        h('span', {}, key, list.length > 1 ? ` ×${list.length}` : ''),
        h('div', {}, drawn),
        h('span', {}, micros(total)),
      );
    }),
  );
}

async function open(info) {
  const { content } = modal(`${info.modelId}, ${ago(info.createdAt)}`);
  const path = `/v1/traces/cluster/${encodeURIComponent(info.taskId)}`;
  const [{ traces }, stats] = await Promise.all([get(path), get(`${path}/stats`)]);
  const save = action(async () => {
    const file = await (await request('GET', `${path}/raw`)).blob();
    const link = h('a', { href: URL.createObjectURL(file), download: `trace_${info.taskId}.json` });
    link.click();
    URL.revokeObjectURL(link.href);
  });
  content.append(
    h(
      'div',
      { class: 'row spread' },
      h('span', {}, `${micros(stats.totalWallTimeUs)} in all`),
      h('button', { onclick: save }, 'Save for Perfetto'),
    ),
    traces.length ? bars(traces) : h('div', { class: 'empty' }, 'The trace is empty.'),
    h(
      'table',
      { style: 'margin-top:1rem' },
      h(
        'tr',
        {},
        ['Category', 'Total', 'Count', 'Average', 'Longest'].map((t) => h('th', {}, t)),
      ),
      Object.entries(stats.byCategory).map(([category, c]) =>
        h(
          'tr',
          {},
          [category, micros(c.totalUs), c.count, micros(c.avgUs), micros(c.maxUs)].map((v) => h('td', {}, String(v))),
        ),
      ),
    ),
  );
}

export async function listTraces(box) {
  const { traces } = await get('/v1/traces/cluster');
  const remove = (info) =>
    action(async () => {
      await post('/v1/traces/delete', { taskIds: [info.taskId] });
      await listTraces(box);
    });
  box.replaceChildren(
    traces.length
      ? h(
          'div',
          { class: 'scroll' },
          h(
            'table',
            { class: 'stack' },
            h(
              'thead',
              {},
              h(
                'tr',
                {},
                ['When', 'Model', 'What', 'Nodes', 'Size', ''].map((t) => h('th', {}, t)),
              ),
            ),
            h(
              'tbody',
              {},
              traces.map((t) =>
                h(
                  'tr',
                  {},
                  [
                    h('span', { title: t.createdAt }, ago(t.createdAt)),
                    t.modelId,
                    t.categories.join(', '),
                    t.sourceNodes.map((n) => n.friendlyName).join(', '),
                    bytes(t.fileSize),
                    h(
                      'span',
                      { class: 'row' },
                      h('button', { onclick: action(() => open(t)) }, 'Open'),
                      h('button', { class: 'quiet', onclick: remove(t) }, 'Delete'),
                    ),
                  ].map((c) => h('td', {}, c)),
                ),
              ),
            ),
          ),
        )
      : h('div', { class: 'empty' }, 'No traces. Switch tracing on, then send a request.'),
  );
}
