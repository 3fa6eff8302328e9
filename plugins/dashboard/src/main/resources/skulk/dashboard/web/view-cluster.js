// The cluster: topology with live load, what is placed, each node's health.

import { action, h, region, toast } from './dom.js';
import { del } from './api.js';
import { instances, refresh, watch } from './store.js';
import { topology } from './topology.js';
import { bytes, nodeName, percent } from './format.js';

const WORDS = {
  RunnerIdle: 'idle',
  RunnerConnecting: 'connecting',
  RunnerConnected: 'connected',
  RunnerLoading: 'loading',
  RunnerLoaded: 'loaded',
  RunnerWarmingUp: 'warming up',
  RunnerReady: 'ready',
  RunnerRunning: 'running',
  RunnerShuttingDown: 'shutting down',
  RunnerShutdown: 'shut down',
  RunnerFailed: 'failed',
};
const TONES = { RunnerReady: 'good', RunnerRunning: 'good', RunnerFailed: 'bad' };

export function statusTag({ status, detail }) {
  const loading = status === 'RunnerLoading' ? ` ${detail.layersLoaded}/${detail.totalLayers}` : '';
  return h(
    'span',
    { class: `tag ${TONES[status] ?? 'warn'}`, title: detail.errorMessage ?? '' },
    (WORDS[status] ?? status) + loading,
  );
}

function part(rank, sharding) {
  return sharding === 'Tensor'
    ? `share ${rank.shard.deviceRank + 1} of ${rank.shard.worldSize}`
    : `layers ${rank.shard.startLayer}–${rank.shard.endLayer - 1}`;
}

function instanceCard(instance, names, tasks) {
  const remove = action(async () => {
    await del(`/instance/${instance.id}`);
    toast(`${instance.model} is being removed`);
    refresh();
  });
  const failed = instance.ranks.find((r) => r.status === 'RunnerFailed');
  return h(
    'div',
    { class: 'card' },
    h(
      'div',
      { class: 'row spread' },
      h('h3', {}, instance.model),
      h('span', { class: 'tag' }, instance.ranks.length > 1 ? instance.sharding : 'one node'),
    ),
    instance.ranks.map((rank) =>
      h(
        'div',
        { class: 'row spread small rank' },
        h('span', {}, names[rank.node], ' ', h('span', { class: 'dim' }, part(rank, instance.sharding))),
        statusTag(rank),
      ),
    ),
    failed && h('div', { class: 'notice bad small' }, failed.detail.errorMessage),
    h(
      'div',
      { class: 'row spread', style: 'margin-top:.6rem' },
      h(
        'span',
        { class: 'dim small' },
        [
          instance.limit ? `${instance.limit.toLocaleString('en')} tokens of context` : '',
          tasks ? `${tasks} request${tasks > 1 ? 's' : ''} now` : '',
        ]
          .filter(Boolean)
          .join(' · '),
      ),
      h(
        'span',
        { class: 'row' },
        instance.serving &&
          h('a', { class: 'button', href: `/chat?model=${encodeURIComponent(instance.model)}` }, 'Chat'),
        h('button', { onclick: remove }, 'Remove'),
      ),
    ),
  );
}

function meter(ratio) {
  const tone = ratio > 0.92 ? 'bad' : ratio > 0.8 ? 'warn' : '';
  return h('div', { class: 'meter' }, h('i', { class: tone, style: `width:${Math.min(100, 100 * ratio)}%` }));
}

function nodeCard(state, id, self, master) {
  const memory = state.nodeMemory[id];
  const disk = state.nodeDisk[id];
  const load = state.nodeSystem[id];
  const identity = state.nodeIdentities[id];
  const fact = (name, ratio, text) => [h('span', { class: 'dim' }, name), meter(ratio), h('span', {}, text)];
  const used = (total, available) => 1 - available.inBytes / Math.max(1, total.inBytes);
  const health = state.nodeHealth[id] ?? { level: 'ok', reasons: [] };
  const bandwidth = state.nodeResources[id]?.readBandwidth;
  return h(
    'div',
    { class: 'card' },
    h(
      'div',
      { class: 'row spread' },
      h('h3', {}, nodeName(state, id)),
      h(
        'span',
        { class: 'row' },
        id === master && h('span', { class: 'tag' }, 'master'),
        id === self && h('span', { class: 'tag' }, 'this node'),
        h('span', { class: `tag ${{ ok: 'good', warn: 'warn', error: 'bad' }[health.level]}` }, health.level),
      ),
    ),
    h(
      'div',
      { class: 'dim small' },
      [
        identity?.chipId,
        identity?.osVersion,
        identity?.skulkVersion && `Skulk ${identity.skulkVersion}`,
        bandwidth ? `${(bandwidth / 1e9).toFixed(0)} GB/s` : '',
      ]
        .filter((t) => t && !t.includes('Unknown'))
        .join(' · '),
    ),
    h(
      'div',
      { class: 'facts' },
      memory &&
        fact('Memory', used(memory.ramTotal, memory.ramAvailable), `${bytes(memory.ramAvailable.inBytes)} free`),
      load && fact('Processor', load.pcpuUsage, percent(load.pcpuUsage)),
      load && load.gpuUsage > 0 && fact('GPU', load.gpuUsage, percent(load.gpuUsage)),
      disk && fact('Disk', used(disk.total, disk.available), `${bytes(disk.available.inBytes)} free`),
    ),
    health.reasons.map((r) =>
      h(
        'div',
        { class: health.level === 'error' ? 'notice bad small' : 'notice small' },
        `${r.message} — ${r.remediation}`,
      ),
    ),
  );
}

export function mount(page) {
  const picture = region(
    (data) => [
      topology(data),
      h(
        'div',
        { class: 'legend dim small' },
        h('span', { class: 'good' }, '◯ '),
        'memory in use  ',
        h('span', { class: 'accent' }, '◯ '),
        'load  ',
        h('span', { class: 'accent' }, '━ '),
        'a model over several nodes',
      ),
    ],
    { class: 'card' },
  );
  const placed = region((list, names, tasks) =>
    list.length
      ? h(
          'div',
          { class: 'grid' },
          list.map((i) => instanceCard(i, names, tasks[i.id] ?? 0)),
        )
      : h(
          'div',
          { class: 'card empty' },
          'Nothing is placed yet. ',
          h('a', { href: '/model-store' }, 'Choose a model'),
        ),
  );
  const nodes = region(
    (state, self, master) => Object.keys(state.lastSeen).map((id) => nodeCard(state, id, self, master)),
    { class: 'grid' },
  );
  page.append(
    picture,
    h('h2', { style: 'margin:0' }, 'Models at work'),
    placed,
    h('h2', { style: 'margin:0' }, 'Nodes'),
    nodes,
  );
  return watch(({ state, self, master }) => {
    if (!state) return;
    const running = Object.values(state.tasks)
      .map((t) => Object.values(t)[0])
      .filter((t) => t.taskStatus === 'Pending' || t.taskStatus === 'Running');
    const tasks = {};
    running.forEach((t) => {
      tasks[t.instanceId] = (tasks[t.instanceId] ?? 0) + 1;
    });
    picture.update({ state: { ...state, tasks: {}, downloads: {} }, self, master });
    placed.update(
      instances(state),
      Object.fromEntries(Object.keys(state.lastSeen).map((id) => [id, nodeName(state, id)])),
      tasks,
    );
    nodes.update({ ...state, tasks: {}, downloads: {}, instances: {}, runners: {} }, self, master);
  });
}
