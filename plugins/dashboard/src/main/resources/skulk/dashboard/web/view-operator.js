// For whoever runs the cluster: traces, timeline, storage, plugins, settings.

import { action, h, toast } from './dom.js';
import { get, post, put } from './api.js';
import { store } from './store.js';
import { listTraces } from './traces.js';
import { settings } from './settings.js';
import { ago, bytes, nodeName, shortId } from './format.js';

function table(heads, rows) {
  return h(
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
          heads.map((t) => h('th', {}, t)),
        ),
      ),
      h(
        'tbody',
        {},
        rows.map((r) =>
          h(
            'tr',
            {},
            r.map((c) => h('td', {}, c)),
          ),
        ),
      ),
    ),
  );
}

const name = (id) => (store.state && id ? nodeName(store.state, id) : shortId(id ?? ''));

async function timeline(box) {
  const found = await get('/v1/diagnostics/cluster/timeline');
  const unreachable = (found.unreachableNodes ?? []).map((n) =>
    h('div', { class: 'notice' }, `${name(n.nodeId)} does not answer: ${n.error}`),
  );
  const entries = (found.timeline ?? []).slice(-300).reverse();
  const text = (value) => (value == null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value));
  box.replaceChildren(
    ...unreachable,
    entries.length
      ? table(
          ['When', 'Node', 'Phase', 'Event', 'Detail'],
          entries.map((e) => [
            h('span', { title: e.at }, ago(e.at)),
            name(e.nodeId),
            e.phase ?? '',
            e.event ?? '',
            text(e.detail),
          ]),
        )
      : h('div', { class: 'empty' }, 'No runner has done anything yet.'),
  );
}

async function storage(box) {
  const { nodes = [] } = await get('/store/storage/cluster');
  const purge = action(async () => {
    toast((await post('/store/purge-staging', {})).message);
    await storage(box);
  });
  const cards = nodes.map((entry) => {
    const report = entry.storage ?? entry;
    if (entry.error || !report.stagedModels)
      return h('div', { class: 'notice bad' }, `${name(entry.nodeId)}: ${entry.error ?? 'no answer'}`);
    return h(
      'div',
      { class: 'card' },
      h(
        'div',
        { class: 'row spread' },
        h('h3', {}, name(report.nodeId)),
        h('span', { class: 'dim small' }, `${bytes(report.diskFreeBytes)} free of ${bytes(report.diskTotalBytes)}`),
      ),
      h('p', { class: 'dim small mono' }, report.stagingRoot ?? 'no staging'),
      report.stagedModels.map((m) =>
        h(
          'div',
          { class: 'row spread small' },
          h('span', {}, m.modelId, ' ', m.inUse && h('span', { class: 'tag good' }, 'in use')),
          h('span', { class: 'dim' }, `${bytes(m.sizeBytes)}, ${ago(1000 * m.lastUsedEpochSeconds)}`),
        ),
      ),
      h(
        'p',
        { class: 'dim small' },
        `staged ${bytes(report.stagedTotalBytes)}, event log ${bytes(report.eventLogBytes)}`,
      ),
    );
  });
  box.replaceChildren(
    h(
      'div',
      { class: 'row spread' },
      h(
        'span',
        { class: 'dim small' },
        'Staged copies are cheap to make again; purging never touches the store or what is in use.',
      ),
      h('button', { onclick: purge }, 'Purge unused copies'),
    ),
    h('div', { class: 'grid', style: 'margin-top:.8rem' }, cards),
  );
}

async function plugins(box) {
  const draw = ({ plugins: list }) =>
    box.replaceChildren(
      h(
        'div',
        { class: 'row spread' },
        h('span', { class: 'dim small' }, 'A folder dropped into plugins/ is picked up by a rescan.'),
        h('button', { onclick: action(async () => draw(await post('/plugins/rescan', {}))) }, 'Rescan'),
      ),
      table(
        ['Plugin', 'Version', 'Offers', 'State'],
        list.map((p) => [
          h('b', {}, p.id),
          p.version,
          p.offers.join(', '),
          h(
            'span',
            {},
            h('span', { class: `tag ${{ STARTED: 'good', FAILED: 'bad' }[p.state] ?? 'warn'}` }, p.state.toLowerCase()),
            p.reason && h('div', { class: 'small bad' }, p.reason),
          ),
        ]),
      ),
    );
  draw(await get('/plugins'));
}

async function traces(box) {
  const switched = h('input', {
    type: 'checkbox',
    checked: store.state?.tracingEnabled,
    onchange: action(async (event) => {
      const wanted = event.target.checked;
      await put('/v1/tracing', { enabled: wanted });
      toast(wanted ? 'New requests are traced' : 'Tracing is off');
    }),
  });
  const list = h('div');
  box.replaceChildren(
    h('label', { class: 'row' }, switched, 'Trace new requests (for debugging; leave it off otherwise)'),
    list,
  );
  await listTraces(list);
}

const TABS = {
  traces: ['Traces', traces],
  timeline: ['Timeline', timeline],
  storage: ['Storage', storage],
  plugins: ['Plugins', plugins],
  settings: ['Settings', settings],
};

export function mount(page) {
  const box = h('div', { class: 'card' });
  const links = Object.entries(TABS).map(([id, [title]]) => h('a', { href: `#${id}` }, title));
  page.append(h('nav', { class: 'tabs', 'aria-label': 'Operator' }, links), box);
  function show() {
    const id = location.hash.slice(1) in TABS ? location.hash.slice(1) : 'traces';
    links.forEach((link) =>
      link.hash === `#${id}` ? link.setAttribute('aria-current', 'page') : link.removeAttribute('aria-current'),
    );
    box.replaceChildren(h('div', { class: 'empty' }, 'Loading…'));
    TABS[id][1](box).catch((error) => box.replaceChildren(h('div', { class: 'notice bad' }, error.message)));
  }
  addEventListener('hashchange', show);
  show();
  return () => removeEventListener('hashchange', show);
}
