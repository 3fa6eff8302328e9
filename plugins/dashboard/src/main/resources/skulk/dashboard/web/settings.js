// This browser's key, the node's configuration, API keys, restart.

import { action, h, toast } from './dom.js';
import { del, get, login, logout, post, put } from './api.js';
import { store } from './store.js';
import { nodeName } from './format.js';

function ownKey() {
  const input = h('input', {
    type: 'password',
    class: 'wide',
    autocomplete: 'off',
    placeholder: 'API key',
    'aria-label': 'API key of this browser',
  });
  const use = action(async () => {
    await login(input.value.trim());
    input.value = '';
    toast('This browser uses the key');
  });
  const forget = action(async () => {
    await logout();
    toast('This browser has no key');
  });
  return h(
    'section',
    {},
    h('h2', {}, 'Key of this browser'),
    h('div', { class: 'row' }, input, h('button', { onclick: use }, 'Use'), h('button', { onclick: forget }, 'Forget')),
  );
}

async function configuration() {
  const { config, configPath, fileExists } = await get('/config');
  const text = h('textarea', {
    class: 'mono',
    rows: 16,
    spellcheck: 'false',
    'aria-label': 'Configuration',
    value: JSON.stringify(config, null, 2),
  });
  const save = action(async () => {
    const reply = await put('/config', { config: JSON.parse(text.value) });
    toast(reply.message + (reply.requiresRestart ? ' — restart to apply' : ''));
  });
  return h(
    'section',
    {},
    h('h2', {}, 'Configuration'),
    h(
      'p',
      { class: 'dim small' },
      `${configPath}${fileExists ? '' : ' (not written yet)'}; saved here and sent to all nodes.`,
    ),
    h('label', {}, text),
    h('div', { class: 'row', style: 'margin-top:.5rem' }, h('button', { class: 'primary', onclick: save }, 'Save')),
  );
}

async function keys() {
  const box = h('section');
  async function draw(fresh) {
    const { keys: list } = await get('/admin/keys');
    const id = h('input', { placeholder: 'name', 'aria-label': 'Name of the key' });
    const scope = h(
      'select',
      { 'aria-label': 'Scope' },
      [
        ['infer', 'ask models'],
        ['infer,place', 'and place them'],
        ['infer,place,admin', 'everything'],
      ].map(([value, label]) => h('option', { value }, label)),
    );
    const create = action(async () =>
      draw((await post('/admin/keys', { id: id.value.trim(), scopes: scope.value.split(',') })).key),
    );
    const remove = (key) =>
      action(async () => {
        await del(`/admin/keys/${encodeURIComponent(key.id)}`);
        await draw();
      });
    box.replaceChildren(
      h('h2', {}, 'API keys'),
      fresh ? h('div', { class: 'notice' }, 'The new key, shown this once: ', h('code', {}, fresh)) : '',
      ...list.map((key) =>
        h(
          'div',
          { class: 'row spread' },
          h('span', {}, h('b', {}, key.id), ' ', h('span', { class: 'dim small' }, key.scopes.join(', '))),
          h('button', { class: 'quiet', onclick: remove(key) }, 'Withdraw'),
        ),
      ),
      h('div', { class: 'row', style: 'margin-top:.5rem' }, id, scope, h('button', { onclick: create }, 'Make a key')),
    );
  }
  await draw();
  return box;
}

function restart() {
  const nodes = Object.keys(store.state?.lastSeen ?? {});
  const chosen = h(
    'select',
    { 'aria-label': 'Node' },
    nodes.map((id) => h('option', { value: id, selected: id === store.self }, nodeName(store.state, id))),
  );
  const go = action(async () => {
    if (!confirm(`Restart ${chosen.selectedOptions[0]?.textContent}? Requests on it fail with a retryable error.`))
      return;
    const other = chosen.value && chosen.value !== store.self ? `?node_id=${encodeURIComponent(chosen.value)}` : '';
    toast((await post(`/admin/restart${other}`)).status.replaceAll('_', ' '));
  });
  return h(
    'section',
    {},
    h('h2', {}, 'Restart a node'),
    h('div', { class: 'row' }, chosen, h('button', { onclick: go }, 'Restart')),
  );
}

export async function settings(box) {
  const guarded = (part, title) =>
    part().catch((error) => h('section', {}, h('h2', {}, title), h('div', { class: 'notice' }, error.message)));
  const parts = await Promise.all([guarded(configuration, 'Configuration'), guarded(keys, 'API keys')]);
  box.replaceChildren(
    h(
      'div',
      { style: 'display:flex;flex-direction:column;gap:1.6rem' },
      ownKey(),
      ...parts,
      restart(),
      h(
        'p',
        { class: 'dim small' },
        'Everything here is in the API: ',
        h('a', { href: '/api/docs' }, 'read its description'),
        '.',
      ),
    ),
  );
}
