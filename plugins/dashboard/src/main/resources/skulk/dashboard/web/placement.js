// Where a model can go: every combination with its predicted speed and memory, then placing it and watching it load.

import { action, h, modal, region } from './dom.js';
import { get, post } from './api.js';
import { instances, refresh, store, watch } from './store.js';
import { statusTag } from './view-cluster.js';
import { bytes, nodeName, rate, seconds } from './format.js';

function ranksOf(preview) {
  const { nodeToRunner, runnerToShard } = Object.values(preview.instance)[0].shardAssignments;
  return Object.entries(nodeToRunner)
    .map(([node, runner]) => ({ node, shard: Object.values(runnerToShard[runner])[0] }))
    .sort((a, b) => a.shard.deviceRank - b.shard.deviceRank);
}

function memory(preview, { node, shard }) {
  const state = store.state;
  const need = preview.forecast?.required_bytes_by_node?.[node] ?? preview.memory_delta_by_node[node];
  const total = state.nodeMemory[node]?.ramTotal.inBytes ?? need;
  const part =
    preview.sharding === 'Tensor' && shard.worldSize > 1
      ? 'a share of every layer'
      : `layers ${shard.startLayer}–${shard.endLayer - 1}`;
  return [
    h('span', {}, nodeName(state, node), ' ', h('span', { class: 'dim' }, part)),
    h('div', { class: 'meter' }, h('i', { style: `width:${Math.min(100, (100 * need) / total)}%` })),
    h('span', {}, `${bytes(need)} of ${bytes(total)}`),
  ];
}

function option(preview, best, place) {
  const ranks = ranksOf(preview);
  const words = ranks.length === 1 ? 'On one node' : `${preview.sharding} over ${ranks.length} nodes`;
  const limit = Object.values(preview.instance)[0].contextTokenLimit;
  return h(
    'div',
    { class: best ? 'option best' : 'option' },
    h(
      'div',
      { class: 'row spread' },
      h(
        'div',
        {},
        h('h3', {}, words),
        h(
          'div',
          { class: 'dim small' },
          [
            preview.forecast?.first_token_seconds
              ? `first token after ${seconds(preview.forecast.first_token_seconds)} (512 tokens)`
              : '',
            limit ? `${limit.toLocaleString('en')} tokens of context` : '',
          ]
            .filter(Boolean)
            .join(' · '),
        ),
      ),
      h(
        'span',
        { class: 'row' },
        h('span', { class: 'speed', title: 'predicted' }, rate(preview.forecast?.tokens_per_second)),
        h('button', { class: best ? 'primary' : '', onclick: action(() => place(preview, ranks)) }, 'Place'),
      ),
    ),
    h(
      'div',
      { class: 'facts' },
      ranks.map((rank) => memory(preview, rank)),
    ),
  );
}

/** Follows the new instance until it serves or fails. */
function follow(content, model, known) {
  const progress = region((instance) =>
    instance
      ? [
          h('h3', {}, instance.serving ? 'Ready' : 'Starting…'),
          instance.ranks.map((r) => h('div', { class: 'row spread' }, nodeName(store.state, r.node), statusTag(r))),
          instance.ranks
            .filter((r) => r.status === 'RunnerFailed')
            .map((r) => h('div', { class: 'notice bad' }, r.detail.errorMessage)),
          instance.serving &&
            h('p', {}, h('a', { class: 'button', href: `/chat?model=${encodeURIComponent(model)}` }, 'Chat with it')),
        ]
      : h('p', { class: 'dim' }, 'Waiting for the coordinator…'),
  );
  content.replaceChildren(progress);
  return watch(
    ({ state }) =>
      state && progress.update(instances(state).find((i) => i.model === model && !known.has(i.id)) ?? null),
  );
}

export async function openPlacement(model) {
  let stop = () => {};
  const { content, close } = modal(`Place ${model.name}`, () => stop());
  content.append(h('p', { class: 'dim' }, 'Working out what fits…'));
  content.addEventListener('click', (event) => event.target.closest('a') && close());

  async function place(preview, ranks) {
    const inside = new Set(ranks.map((r) => r.node));
    const known = new Set(instances(store.state).map((i) => i.id));
    await post('/place_instance', {
      model_id: model.id,
      sharding: preview.sharding,
      instance_meta: preview.instance_meta,
      min_nodes: ranks.length,
      excluded_nodes: Object.keys(store.state.lastSeen).filter((id) => !inside.has(id)),
    });
    stop = follow(content, model.id, known);
    refresh();
  }

  try {
    const { previews } = await get(`/instance/previews?model_id=${encodeURIComponent(model.id)}`);
    const works = previews
      .filter((p) => p.instance)
      .sort((a, b) => (b.forecast?.tokens_per_second ?? 0) - (a.forecast?.tokens_per_second ?? 0));
    const fails = previews.filter((p) => p.error);
    content.replaceChildren(
      works.length
        ? ''
        : h(
            'div',
            { class: 'notice bad' },
            previews.length ? 'It does not fit anywhere now.' : 'No node is known yet.',
          ),
      ...works.map((p, i) => option(p, i === 0, place)),
      fails.length
        ? h(
            'details',
            { style: 'margin-top:.8rem', open: !works.length },
            h('summary', {}, works.length ? 'Why the others do not work' : 'Why not'),
            fails.map((p) =>
              h(
                'div',
                { class: 'notice small', style: 'margin-top:.4rem' },
                h('b', {}, `${p.sharding}, ${p.instance_meta}: `),
                p.error,
              ),
            ),
          )
        : '',
    );
  } catch (error) {
    content.replaceChildren(h('div', { class: 'notice bad' }, error.message));
  }
}
