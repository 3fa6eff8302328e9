// Runs the script of /api/docs on as much of a document as it uses, where nothing but the node can be fetched: the page renders offline.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { url } from './common.mjs';

class Element {
  textContent = '';
  children = [];
  dataset = {};
  hidden = false;
  #listeners = {};

  constructor(tag) {
    this.tag = tag;
  }
  append(child) {
    this.children.push(child);
  }
  get childElementCount() {
    return this.children.length;
  }
  addEventListener(name, listener) {
    this.#listeners[name] = listener;
  }
  dispatch(name, event = {}) {
    this.#listeners[name](event);
  }
  querySelectorAll(tag) {
    return this.children.flatMap((child) => [...(child.tag === tag ? [child] : []), ...child.querySelectorAll(tag)]);
  }
  get text() {
    return [this.textContent, ...this.children.map((child) => child.text)].join(' ');
  }
}

for (const page of ['/api/docs', '/api/redoc'])
  test(`${page} renders every route with nothing from outside`, async () => {
    const html = await (await fetch(url + page)).text();
    assert.doesNotMatch(html, /https?:\/\/|(src|href)="\/\/|@import|url\(/);
    const script = html.match(/<script type="module">(.*)<\/script>/s)[1];
    const elements = { routes: new Element('main'), filter: new Element('input') };
    const document = { getElementById: (id) => elements[id], createElement: (tag) => new Element(tag) };
    const fetched = [];
    const local = (path) => {
      assert.match(path, /^\/[^/]/);
      fetched.push(path);
      return fetch(url + path);
    };
    const AsyncFunction = (async () => {}).constructor;
    await new AsyncFunction('document', 'fetch', script)(document, local);
    assert.deepEqual(fetched, ['/api/openapi.json']);
    const api = await (await fetch(url + '/api/openapi.json')).json();
    const operations = Object.values(api.paths).reduce((sum, methods) => sum + Object.keys(methods).length, 0);
    const all = elements.routes.querySelectorAll('details');
    assert.equal(all.length, operations);
    for (const details of all) {
      details.dispatch('toggle');
      assert.match(details.text, /200 Done/);
    }
    const chat = all.find((details) => details.text.includes(' POST /v1/chat/completions '));
    assert.match(chat.text, /text\/event-stream, each item.*chat\.completion\.chunk/s);
    elements.filter.dispatch('input', { target: { value: '/v1/messages' } });
    const shown = all.filter((details) => !details.hidden);
    assert.ok(shown.length > 0 && shown.length < 5 && shown.every((details) => details.text.includes('/v1/messages')));
  });
