import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ollama } from 'ollama';
import * as c from './common.mjs';

const client = new Ollama({ host: c.url });
const ask = { model: c.TINY, options: { temperature: 0, num_predict: 200 } };
const tools = [
  { type: 'function', function: { name: 'get_weather', description: 'Get current weather for a city.', parameters: c.location } },
];

test('chats and generates, whole and streamed', async () => {
  const whole = await client.chat({ ...ask, messages: c.user(c.FRANCE) });
  assert.equal(whole.message.content, c.PARIS);
  assert.equal(whole.done_reason, 'stop');
  assert.equal(whole.prompt_eval_count, 16);
  let text = '';
  for await (const part of await client.chat({ ...ask, messages: c.user(c.FRANCE), stream: true })) text += part.message.content;
  assert.equal(text, c.PARIS);
  assert.equal((await client.generate({ ...ask, prompt: c.FRANCE })).response, c.PARIS);
  text = '';
  for await (const part of await client.generate({ ...ask, prompt: c.FRANCE, stream: true })) text += part.response;
  assert.equal(text, c.PARIS);
});

test('thinking and exact texts pass', async () => {
  const messages = c.user(c.script({ reasoning: 'Hm.' }, { text: 'Grüße ' }, { text: '🦊\n' }));
  const { message } = await client.chat({ model: c.SCRIPTED, messages, think: true });
  assert.equal(message.thinking, 'Hm.');
  assert.equal(message.content, 'Grüße 🦊\n');
});

test('the model calls a tool and reads its result', async () => {
  const messages = c.user(c.BOSTON);
  const { message } = await client.chat({ ...ask, messages, tools });
  const calls = [message.tool_calls];
  for await (const part of await client.chat({ ...ask, messages, tools, stream: true })) {
    if (part.message.tool_calls) calls.push(part.message.tool_calls);
  }
  assert.equal(calls.length, 2);
  for (const [call] of calls) {
    assert.equal(call.function.name, 'get_weather');
    assert.deepEqual(call.function.arguments, { location: 'Boston' });
  }
  const result = { role: 'tool', tool_name: 'get_weather', content: c.WEATHER };
  const answer = await client.chat({ ...ask, messages: [...messages, message, result], tools });
  assert.equal(answer.message.content, c.FORECAST);
});

test('the answer fits the schema', async () => {
  const answer = await client.chat({ ...ask, messages: c.user('What colour is the sky?'), format: c.verdict });
  assert.ok(c.isVerdict(answer.message.content));
});

test('errors carry their text and status', async () => {
  const absent = { ...ask, model: 'nobody/nothing', messages: c.user('Hi') };
  await assert.rejects(client.chat(absent), (e) => {
    assert.equal(e.status_code, 404);
    assert.match(e.message, /No instance found for model nobody\/nothing/);
    return true;
  });
  await assert.rejects(client.chat({ ...ask, messages: c.user('Hi'), options: { top_p: 7 } }), /top_p/);
  await assert.rejects(client.chat({ model: c.SCRIPTED, messages: c.user(c.breaking) }), /boom/);
});

test('a stream that breaks says so', async () => {
  let text = '';
  await assert.rejects(async () => {
    const stream = await client.chat({ model: c.SCRIPTED, messages: c.user(c.breaking), stream: true });
    for await (const part of stream) text += part.message.content;
  }, /boom/);
  assert.equal(text, 'Hello');
});

test('a timeout frees the model', async () => {
  const impatient = new Ollama({ host: c.url, fetch: (url, init) => fetch(url, { ...init, signal: AbortSignal.timeout(300) }) });
  await assert.rejects(impatient.chat({ model: c.SCRIPTED, messages: c.user(c.hanging) }), /timeout|aborted/i);
  await c.idle();
});

test('embeds in order', async () => {
  const { embeddings } = await client.embed({ model: c.MINILM, input: ['a', 'b'] });
  assert.deepEqual(embeddings.map((vector) => vector.length), [384, 384]);
  assert.deepEqual((await client.embeddings({ model: c.MINILM, prompt: 'b' })).embedding, embeddings[1]);
  assert.equal((await client.embed({ model: c.MINILM, input: 'word '.repeat(300) })).embeddings.length, 1);
  await assert.rejects(client.embed({ model: c.MINILM, input: 'word '.repeat(300), truncate: false }), /302 tokens/);
});

test('abort frees the model', async () => {
  const stream = await client.chat({ model: c.SCRIPTED, messages: c.user(c.hanging), stream: true });
  await assert.rejects(async () => {
    for await (const part of stream) {
      assert.equal(part.message.content, 'Hello');
      stream.abort();
    }
  }, /abort/i);
  await c.idle();
});

test('lists and shows its models', async () => {
  const names = (await client.list()).models.map((model) => model.name);
  assert.ok(names.includes(c.TINY));
  assert.ok((await client.ps()).models.some((model) => model.name === c.TINY));
  assert.equal((await client.show({ model: c.TINY })).details.family, 'skulk');
});
