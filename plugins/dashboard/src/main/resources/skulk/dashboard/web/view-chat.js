// A conversation with a placed model, streamed.

import { h, toast } from './dom.js';
import { request } from './api.js';
import { instances, watch } from './store.js';
import { events } from './sse.js';
import { markdown } from './markdown.js';

const STORED = 'skulk.chat';
const saved = () => JSON.parse(localStorage.getItem(STORED) ?? '{}');

function bubble(message) {
  const body = h('div');
  const thought = h('div', { class: 'dim small', style: 'white-space:pre-wrap' });
  const thinking = h('details', { hidden: true }, h('summary', {}, 'Thinking'), thought);
  const note = h('div', { class: 'dim small' });
  const element = h('div', { class: `message ${message.role}` }, thinking, body, note);
  element.draw = () => {
    thinking.hidden = !message.reasoning;
    thought.textContent = message.reasoning ?? '';
    body.replaceChildren(
      ...(message.role === 'user'
        ? [message.content]
        : markdown(message.content || (message.note || message.reasoning ? '' : '…'))),
    );
    note.textContent = message.note ?? '';
    note.className = message.failed ? 'bad small' : 'dim small';
    return element;
  };
  return element.draw();
}

/** Reads the stream of one answer into the message. */
async function receive(response, message, draw) {
  const started = performance.now();
  let first = 0;
  for await (const { data, comment } of events(response)) {
    if (comment?.startsWith('prefill_progress ')) {
      const progress = Object.values(JSON.parse(comment.slice(17)))[0];
      message.note = `reading the prompt: ${progress.processed_tokens} of ${progress.total_tokens} tokens`;
    } else if (comment?.startsWith('generation_stats ')) {
      const stats = JSON.parse(comment.slice(17));
      message.note = `${stats.generation_tps.toFixed(1)} tok/s · ${stats.generation_tokens} tokens · first after ${Math.round(first)} ms`;
    } else if (data && data !== '[DONE]') {
      const chunk = JSON.parse(data);
      if (chunk.error) throw new Error(chunk.error.message);
      first ||= performance.now() - started;
      const { delta, finish_reason: reason } = chunk.choices[0] ?? {};
      message.content += delta?.content ?? '';
      if (delta?.reasoning_content) message.reasoning = (message.reasoning ?? '') + delta.reasoning_content;
      for (const call of delta?.tool_calls ?? [])
        message.content += `\n\`${call.function.name}(${call.function.arguments})\`\n`;
      message.note = reason === 'length' ? 'stopped at the token limit' : '';
    }
    draw();
  }
}

function settings(options, save) {
  const field = (name, label, attributes) =>
    h(
      'label',
      {},
      label,
      h('input', {
        ...attributes,
        value: options[name] ?? '',
        onchange: (e) => {
          options[name] = e.target.value;
          save();
        },
      }),
    );
  return h(
    'details',
    {},
    h('summary', {}, 'Settings'),
    h(
      'div',
      { class: 'grid', style: 'padding:.5rem 0' },
      h(
        'label',
        {},
        'System prompt',
        h('textarea', {
          rows: 2,
          value: options.system ?? '',
          onchange: (e) => {
            options.system = e.target.value;
            save();
          },
        }),
      ),
      field('temperature', 'Temperature', { type: 'number', min: 0, max: 2, step: 0.1, placeholder: 'of the model' }),
      field('max_tokens', 'Most tokens', { type: 'number', min: 1, placeholder: 'of the node' }),
      h(
        'label',
        {},
        'Thinking',
        h(
          'select',
          {
            value: options.thinking ?? '',
            onchange: (e) => {
              options.thinking = e.target.value;
              save();
            },
          },
          h('option', { value: '' }, 'as the model likes'),
          h('option', { value: 'on', selected: options.thinking === 'on' }, 'on'),
          h('option', { value: 'off', selected: options.thinking === 'off' }, 'off'),
        ),
      ),
    ),
  );
}

function bodyOf(model, options, messages) {
  const system = options.system?.trim() ? [{ role: 'system', content: options.system }] : [];
  const body = {
    model,
    stream: true,
    messages: [...system, ...messages.map(({ role, content }) => ({ role, content }))],
  };
  if (options.temperature) body.temperature = Number(options.temperature);
  if (options.max_tokens) body.max_tokens = Number(options.max_tokens);
  if (options.thinking) body.enable_thinking = options.thinking === 'on';
  return body;
}

export function mount(page) {
  const stored = saved();
  const messages = stored.messages ?? [];
  const options = stored.options ?? {};
  const wanted = new URLSearchParams(location.search).get('model');
  let running = null;

  const save = () => localStorage.setItem(STORED, JSON.stringify({ messages, options }));
  const log = h('div', { class: 'log' }, messages.map(bubble));
  const model = h('select', {
    'aria-label': 'Model',
    onchange: () => {
      options.model = model.value;
      save();
    },
  });
  const input = h('textarea', {
    rows: 2,
    placeholder: 'Say something',
    'aria-label': 'Message',
    onkeydown: (event) => {
      if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        send();
      }
    },
  });
  const button = h('button', { class: 'primary', onclick: () => (running ? running.abort() : send()) }, 'Send');
  const clear = h(
    'button',
    {
      class: 'quiet',
      onclick: () => {
        running?.abort();
        messages.length = 0;
        log.replaceChildren();
        save();
      },
    },
    'New chat',
  );

  async function send() {
    const text = input.value.trim();
    if (!text || running || !model.value) {
      if (!model.value) toast('Place a model first', true);
      return;
    }
    input.value = '';
    messages.push({ role: 'user', content: text });
    const asked = bodyOf(
      model.value,
      options,
      messages.filter((m) => m.content && !m.failed),
    );
    const answer = { role: 'assistant', content: '' };
    messages.push(answer);
    const shown = bubble(answer);
    log.append(bubble(messages.at(-2)), shown);
    running = new AbortController();
    button.textContent = 'Stop';
    const draw = () => {
      const atEnd = innerHeight + scrollY > document.body.scrollHeight - 160;
      shown.draw();
      if (atEnd) scrollTo(0, document.body.scrollHeight);
    };
    scrollTo(0, document.body.scrollHeight);
    try {
      await receive(await request('POST', '/v1/chat/completions', asked, running.signal), answer, draw);
    } catch (error) {
      answer.failed = error.name !== 'AbortError';
      answer.note = answer.failed ? error.message : 'stopped';
    }
    running = null;
    button.textContent = 'Send';
    draw();
    save();
  }

  function offer({ state }) {
    if (!state) return;
    const ready = [
      ...new Set(
        instances(state)
          .filter((i) => i.serving)
          .map((i) => i.model),
      ),
    ].sort();
    if (
      ready.join() ===
        [...model.options]
          .map((o) => o.value)
          .filter(Boolean)
          .join() &&
      model.options.length
    )
      return;
    const chosen = model.value || wanted || options.model;
    model.replaceChildren(
      ...(ready.length
        ? ready.map((id) => h('option', { value: id, selected: id === chosen }, id))
        : [h('option', { value: '' }, 'no model is placed')]),
    );
  }

  page.append(
    h(
      'div',
      { class: 'chat' },
      h('div', { class: 'row spread' }, model, clear),
      settings(options, save),
      log,
      h('div', { class: 'composer' }, input, button),
    ),
  );
  input.focus({ preventScroll: true });
  const stop = watch(offer);
  return () => {
    stop();
    running?.abort();
  };
}
