// The model catalog: find, add, fetch, place.

import { action, h, region, toast } from './dom.js';
import { del, get, modelPath, post } from './api.js';
import { instances, store, watch } from './store.js';
import { openPlacement } from './placement.js';
import { bytes, nodeName, percent } from './format.js';

/** What each node has of a model: [name, ratio, text] of every node that has or fetches some. */
function copies(state, model) {
  const found = [];
  for (const [node, downloads] of Object.entries(state?.downloads ?? {})) {
    for (const download of downloads) {
      const [tag, detail] = Object.entries(download)[0];
      const shard = Object.values(detail.shardMetadata)[0];
      if (shard.modelCard.modelId !== model || tag === 'DownloadPending') continue;
      const progress = detail.downloadProgress;
      const ratio =
        tag === 'DownloadCompleted'
          ? 1
          : progress
            ? progress.downloaded.inBytes / Math.max(1, progress.total.inBytes)
            : 0;
      const text =
        { DownloadCompleted: 'here', DownloadFailed: detail.errorMessage }[tag] ??
        `${percent(ratio)}, ${bytes(progress.speed)}/s`;
      found.push({ name: nodeName(state, node), ratio, text, failed: tag === 'DownloadFailed' });
    }
  }
  return found;
}

function card(model, held, placed, reload) {
  const remove = action(async () => {
    await del(`/models/custom/${modelPath(model.id)}`);
    reload();
  });
  const context = model.context_length ? `${(model.context_length / 1024).toFixed(0)}k context` : '';
  const size = model.storage_size_megabytes ? bytes(model.storage_size_megabytes * 1048576) : '';
  return h(
    'div',
    { class: 'card' },
    h(
      'div',
      { class: 'row spread' },
      h('h3', {}, model.name),
      placed
        ? h('span', { class: 'tag good' }, 'placed')
        : model.downloaded && h('span', { class: 'tag' }, 'on this node'),
    ),
    h('div', { class: 'dim small mono' }, model.id),
    h(
      'div',
      { class: 'row small', style: 'margin:.4rem 0' },
      h('span', {}, [size, model.quantization, context].filter(Boolean).join(' · ')),
      [...new Set([...model.tags, model.is_custom ? 'custom' : ''])]
        .filter(Boolean)
        .map((tag) => h('span', { class: 'tag' }, tag)),
    ),
    held.map((copy) => h('div', { class: `small ${copy.failed ? 'bad' : 'dim'}` }, `${copy.name}: ${copy.text}`)),
    h(
      'div',
      { class: 'row', style: 'margin-top:.5rem' },
      h('button', { class: 'primary', onclick: () => openPlacement(model) }, 'Place…'),
      placed && h('a', { class: 'button', href: `/chat?model=${encodeURIComponent(model.id)}` }, 'Chat'),
      model.is_custom && h('button', { class: 'quiet', onclick: remove }, 'Forget'),
    ),
  );
}

function hubResult(found, add) {
  return h(
    'div',
    { class: 'row spread card' },
    h(
      'span',
      {},
      h('b', {}, found.id),
      ' ',
      h('span', { class: 'dim small' }, `${(found.downloads ?? 0).toLocaleString('en')} downloads`),
    ),
    h('button', { onclick: action(() => add(found.id)) }, 'Add'),
  );
}

export function mount(page) {
  let models = [];
  const filter = h('input', {
    type: 'search',
    placeholder: 'Find a model',
    'aria-label': 'Find a model',
    oninput: () => draw(),
  });
  const here = h('input', { type: 'checkbox', onchange: () => draw() });
  const name = h('input', {
    class: 'wide',
    placeholder: 'org/name, or words to search the hub for',
    'aria-label': 'Model to add',
  });
  const found = h('div', { class: 'grid' });
  const list = region((shown) =>
    shown.length
      ? h(
          'div',
          { class: 'grid' },
          shown.map(([model, held, placed]) => card(model, held, placed, load)),
        )
      : h(
          'div',
          { class: 'card empty' },
          models.length ? 'No model matches.' : 'The catalog is empty. Add a model below.',
        ),
  );

  function draw() {
    const words = filter.value.toLowerCase().split(/\s+/);
    const placed = new Set(store.state ? instances(store.state).map((i) => i.model) : []);
    const shown = models
      .map((model) => [model, copies(store.state, model.id), placed.has(model.id)])
      .filter(
        ([model, held]) =>
          words.every((w) => model.id.toLowerCase().includes(w)) &&
          (!here.checked || model.downloaded || held.some((c) => c.ratio === 1)),
      );
    list.update(shown);
  }

  async function load() {
    const local = new Set((await get('/models?status=downloaded')).data.map((m) => m.id));
    models = (await get('/models')).data.map((m) => ({ ...m, downloaded: local.has(m.id) }));
    models.sort((a, b) => b.downloaded - a.downloaded || a.id.localeCompare(b.id));
    draw();
  }

  async function add(id) {
    await post('/models/add', { model_id: id });
    toast(`${id} is in the catalog`);
    found.replaceChildren();
    await load();
  }

  const search = action(async () => {
    const results = await get(`/models/search?limit=12&query=${encodeURIComponent(name.value.trim())}`);
    found.replaceChildren(...results.map((r) => hubResult(r, add)));
    if (!results.length) toast('The hub has nothing of that name');
  });

  page.append(
    h('div', { class: 'row' }, filter, h('label', { class: 'row' }, here, 'downloaded only')),
    list,
    h(
      'div',
      { class: 'card' },
      h('h2', {}, 'Add a model'),
      h(
        'div',
        { class: 'row' },
        name,
        h('button', { class: 'primary', onclick: action(() => add(name.value.trim())) }, 'Add'),
        h('button', { onclick: search }, 'Search the hub'),
      ),
      found,
    ),
  );
  load().catch((error) => toast(error.message, true));
  return watch(draw);
}
