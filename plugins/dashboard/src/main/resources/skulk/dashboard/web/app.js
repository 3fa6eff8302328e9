// The frame around the pages: which one is shown, and whether the node answers.

import { h, toast } from './dom.js';
import { login } from './api.js';
import { refresh, startPolling, watch } from './store.js';
import * as cluster from './view-cluster.js';
import * as models from './view-models.js';
import * as chat from './view-chat.js';
import * as operator from './view-operator.js';

const PAGES = { '/': cluster, '/cluster': cluster, '/model-store': models, '/chat': chat, '/operator': operator };
const page = document.getElementById('page');
let leave = () => {};

function show() {
  const path = location.pathname.replace(/(.)\/$/, '$1');
  leave();
  page.replaceChildren();
  for (const link of document.querySelectorAll('nav a')) {
    const here = link.pathname === path || (path === '/' && link.pathname === '/cluster');
    here ? link.setAttribute('aria-current', 'page') : link.removeAttribute('aria-current');
  }
  leave = (PAGES[path] ?? cluster).mount(page) ?? (() => {});
}

/** Goes to another page of the dashboard without loading it anew. */
document.addEventListener('click', (event) => {
  const link = event.target.closest('a[href]');
  if (!link || link.origin !== location.origin || !(link.pathname in PAGES) || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  history.pushState(null, '', link.href);
  show();
});
addEventListener('popstate', show);

const connection = document.getElementById('connection');
let asked = false;

function askForKey() {
  const input = h('input', {
    type: 'password',
    autocomplete: 'off',
    placeholder: 'API key',
    class: 'wide',
    'aria-label': 'API key',
  });
  const form = h(
    'form',
    {
      class: 'row',
      onsubmit: async (event) => {
        event.preventDefault();
        await login(input.value.trim());
        asked = false;
        refresh();
        show();
      },
    },
    input,
    h('button', { class: 'primary' }, 'Use this key'),
  );
  page.replaceChildren(h('div', { class: 'card' }, h('h2', {}, 'This node asks for an API key'), form));
}

watch(({ state, error }) => {
  if (error?.status === 401 || error?.status === 403) {
    if (!asked) askForKey();
    asked = true;
    connection.textContent = 'key needed';
    return;
  }
  const count = state ? Object.keys(state.lastSeen).length : 0;
  connection.textContent = error ? 'node does not answer' : `${count} node${count === 1 ? '' : 's'}`;
  connection.className = error ? 'bad' : '';
});

addEventListener('unhandledrejection', (event) => toast(event.reason?.message ?? String(event.reason), true));
startPolling();
show();
