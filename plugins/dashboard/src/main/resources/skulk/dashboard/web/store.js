// The cluster's state, polled once a second while somebody looks.

import { get } from './api.js';

const listeners = new Set();
export const store = { state: null, self: null, master: null, error: null };
let timer;

async function poll() {
  clearTimeout(timer);
  try {
    store.state = await get('/state');
    store.error = null;
    if (!store.self) store.self = await get('/node_id');
  } catch (error) {
    store.error = error;
  }
  listeners.forEach((listener) => listener(store));
  if (!document.hidden) timer = setTimeout(poll, store.error ? 3000 : 1000);
}

async function findMaster() {
  try {
    store.master = (await get('/v1/diagnostics/node')).runtime?.masterNodeId ?? null;
  } catch {
    store.master = null;
  }
}

export function startPolling() {
  document.addEventListener('visibilitychange', () => document.hidden || poll());
  findMaster();
  setInterval(() => document.hidden || findMaster(), 15000);
  poll();
}

/** Calls now (if there is a state) and after every poll; answers how to stop. */
export function watch(listener) {
  listeners.add(listener);
  if (store.state || store.error) listener(store);
  return () => listeners.delete(listener);
}

/** Asks at once, after something was changed. */
export const refresh = poll;

/** Instances as flat objects: id, model, kind, sharding, nodes by rank, runner statuses, limit. */
export function instances(state) {
  return Object.entries(state.instances).map(([id, value]) => {
    const [kind, instance] = Object.entries(value)[0];
    const { modelId, runnerToShard, nodeToRunner } = instance.shardAssignments;
    const ranks = Object.entries(nodeToRunner)
      .map(([node, runner]) => {
        const [tag, shard] = Object.entries(runnerToShard[runner])[0];
        const [status, detail] = Object.entries(state.runners[runner] ?? { RunnerIdle: {} })[0];
        return { node, runner, tag, shard, status, detail };
      })
      .sort((a, b) => a.shard.deviceRank - b.shard.deviceRank);
    const serving = ranks.every((r) => r.status === 'RunnerReady' || r.status === 'RunnerRunning');
    const sharding = ranks[0]?.tag.startsWith('Tensor') ? 'Tensor' : 'Pipeline';
    return { id, model: modelId, kind, sharding, ranks, serving, limit: instance.contextTokenLimit };
  });
}
