import assert from 'node:assert/strict';
import { test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import * as c from './common.mjs';

const client = new Anthropic({ baseURL: c.url, apiKey: 'any', maxRetries: 0 });
const ask = { model: c.TINY, temperature: 0, max_tokens: 200 };
const tools = [{ name: 'get_weather', description: 'Get current weather for a city.', input_schema: c.location }];

test('answers whole and streamed', async () => {
  const whole = await client.messages.create({ ...ask, messages: c.user(c.FRANCE) });
  assert.equal(whole.content[0].text, c.PARIS);
  assert.equal(whole.stop_reason, 'end_turn');
  const stream = client.messages.stream({ ...ask, messages: c.user(c.FRANCE) });
  let text = '';
  stream.on('text', (delta) => (text += delta));
  assert.equal(await stream.finalText(), c.PARIS);
  assert.equal(text, c.PARIS);
  assert.equal((await client.messages.countTokens({ model: c.TINY, messages: c.user(c.FRANCE) })).input_tokens, 16);
});

test('thinking, text and calls are blocks of their own', async () => {
  const content = c.script({ reasoning: 'Hm ' }, { reasoning: 'hm.' }, { text: 'Grüße 🦊' }, { call: 'look', arguments: '{"at":[1,2]}' });
  const stream = client.messages.stream({ model: c.SCRIPTED, max_tokens: 100, messages: c.user(content) });
  const message = await stream.finalMessage();
  assert.deepEqual(message.content.map((block) => block.type), ['thinking', 'text', 'tool_use']);
  assert.equal(message.content[0].thinking, 'Hm hm.');
  assert.equal(message.content[1].text, 'Grüße 🦊');
  assert.deepEqual(message.content[2].input, { at: [1, 2] });
  assert.equal(message.stop_reason, 'tool_use');
});

test('the model calls a tool and reads its result', async () => {
  const messages = c.user(c.BOSTON);
  const streamed = await client.messages.stream({ ...ask, messages, tools }).finalMessage();
  const whole = await client.messages.create({ ...ask, messages, tools });
  for (const { content } of [streamed, whole]) {
    assert.equal(content[0].name, 'get_weather');
    assert.deepEqual(content[0].input, { location: 'Boston' });
  }
  const result = [{ type: 'tool_result', tool_use_id: whole.content[0].id, content: c.WEATHER }];
  const answer = await client.messages.create({
    ...ask,
    messages: [...messages, { role: 'assistant', content: whole.content }, { role: 'user', content: result }],
    tools,
  });
  assert.equal(answer.content[0].text, c.FORECAST);
});

test('the answer fits the schema', async () => {
  const output_config = { format: { type: 'json_schema', schema: c.verdict } };
  const answer = await client.messages.create({ ...ask, messages: c.user('What colour is the sky?'), output_config });
  assert.ok(c.isVerdict(answer.content[0].text));
});

test('errors have their class, in a stream too', async () => {
  const absent = { ...ask, model: 'nobody/nothing', messages: c.user('Hi') };
  await assert.rejects(client.messages.create(absent), (e) => {
    assert.ok(e instanceof Anthropic.NotFoundError);
    assert.equal(e.error.error.type, 'not_found_error');
    return true;
  });
  await assert.rejects(client.messages.stream(absent).finalMessage(), Anthropic.NotFoundError);
  await assert.rejects(client.messages.create({ ...ask, messages: c.user('Hi'), top_p: 7 }), Anthropic.UnprocessableEntityError);
  const broken = client.messages.stream({ model: c.SCRIPTED, max_tokens: 100, messages: c.user(c.breaking) });
  await assert.rejects(broken.finalMessage(), /boom/);
});

test('abort and timeout free the model', async () => {
  const body = { model: c.SCRIPTED, max_tokens: 100, messages: c.user(c.hanging) };
  const stream = client.messages.stream(body);
  stream.on('text', () => stream.abort());
  await assert.rejects(stream.finalMessage(), Anthropic.APIUserAbortError);
  await c.idle();
  await assert.rejects(client.messages.create(body, { timeout: 300 }), Anthropic.APIConnectionTimeoutError);
  await c.idle();
});
