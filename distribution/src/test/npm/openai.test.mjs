import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';
import * as c from './common.mjs';

const client = new OpenAI({ baseURL: c.url + '/v1', apiKey: 'any', maxRetries: 0 });
const ask = { model: c.TINY, temperature: 0, max_tokens: 200 };
const tools = [
  { type: 'function', function: { name: 'get_weather', description: 'Get current weather for a city.', parameters: c.location } },
];

test('answers whole and streamed', async () => {
  const whole = await client.chat.completions.create({ ...ask, messages: c.user(c.FRANCE) });
  assert.equal(whole.choices[0].message.content, c.PARIS);
  const runner = client.chat.completions.stream({ ...ask, messages: c.user(c.FRANCE), stream_options: { include_usage: true } });
  let text = '';
  runner.on('content', (delta) => (text += delta));
  assert.equal(await runner.finalContent(), c.PARIS);
  assert.equal(text, c.PARIS);
  assert.equal((await runner.totalUsage()).prompt_tokens, 16);
});

test('exact texts pass unchanged', async () => {
  const pieces = ['Grüße ', '🦊\n', 'data: [DONE]\n\n', '\u2028"\\'];
  const body = { model: c.SCRIPTED, messages: c.user(c.script(...pieces.map((text) => ({ text })))) };
  assert.equal((await client.chat.completions.create(body)).choices[0].message.content, pieces.join(''));
  const got = [];
  for await (const chunk of await client.chat.completions.create({ ...body, stream: true })) {
    if (chunk.choices[0].delta.content) got.push(chunk.choices[0].delta.content);
  }
  assert.equal(got.join(''), pieces.join(''));
});

test('the model calls a tool and reads its result', async () => {
  const messages = c.user(c.BOSTON);
  const streamed = await client.chat.completions.stream({ ...ask, messages, tools }).finalMessage();
  const { message } = (await client.chat.completions.create({ ...ask, messages, tools })).choices[0];
  for (const { tool_calls } of [streamed, message]) {
    assert.equal(tool_calls[0].function.name, 'get_weather');
    assert.deepEqual(JSON.parse(tool_calls[0].function.arguments), { location: 'Boston' });
  }
  const result = { role: 'tool', tool_call_id: message.tool_calls[0].id, content: c.WEATHER };
  const answer = await client.chat.completions.create({ ...ask, messages: [...messages, message, result], tools });
  assert.equal(answer.choices[0].message.content, c.FORECAST);
});

test('a helper runs the tool by itself', async () => {
  const asked = [];
  const runnable = {
    type: 'function',
    function: {
      ...tools[0].function,
      parse: JSON.parse,
      function: (args) => {
        asked.push(args.location);
        return c.WEATHER;
      },
    },
  };
  const runner = client.chat.completions.runTools({ ...ask, messages: c.user(c.BOSTON), tools: [runnable] });
  assert.equal(await runner.finalContent(), c.FORECAST);
  assert.deepEqual(asked, ['Boston']);
});

test('the answer fits the schema', async () => {
  const response_format = { type: 'json_schema', json_schema: { name: 'verdict', strict: true, schema: c.verdict } };
  const body = { ...ask, messages: c.user('What colour is the sky?'), response_format };
  const parsed = await client.chat.completions.parse(body);
  assert.ok(c.isVerdict(parsed.choices[0].message.content));
});

test('responses: events, calls, memory', async () => {
  const params = { model: c.TINY, temperature: 0, max_output_tokens: 200 };
  const stream = client.responses.stream({ ...params, input: c.FRANCE });
  let text = '';
  stream.on('response.output_text.delta', (event) => (text += event.delta));
  const final = await stream.finalResponse();
  assert.equal(final.output_text, c.PARIS);
  assert.equal(text, c.PARIS);
  assert.equal((await client.responses.retrieve(final.id)).id, final.id);
  const called = await client.responses.create({
    ...params,
    input: c.BOSTON,
    tools: [{ type: 'function', strict: false, ...tools[0].function }],
  });
  assert.equal(called.output[0].type, 'function_call');
  const answered = await client.responses.create({
    ...params,
    previous_response_id: called.id,
    input: [{ type: 'function_call_output', call_id: called.output[0].call_id, output: c.WEATHER }],
    tools: [{ type: 'function', strict: false, ...tools[0].function }],
  });
  assert.equal(answered.output_text, c.FORECAST);
});

test('errors have their class, in a stream too', async () => {
  const absent = { ...ask, model: 'nobody/nothing', messages: c.user('Hi') };
  await assert.rejects(client.chat.completions.create(absent), (e) => {
    assert.ok(e instanceof OpenAI.NotFoundError);
    assert.match(e.message, /No instance found for model nobody\/nothing/);
    return true;
  });
  await assert.rejects(client.chat.completions.create({ ...absent, stream: true }), OpenAI.NotFoundError);
  await assert.rejects(client.chat.completions.create({ ...ask, messages: c.user('Hi'), max_tokens: 1e6 }), OpenAI.BadRequestError);
  await assert.rejects(
    client.chat.completions.create({ ...ask, messages: c.user('Hi'), top_p: 7 }),
    (e) => e instanceof OpenAI.UnprocessableEntityError && /top_p/.test(e.message),
  );
  const stream = await client.chat.completions.create({ model: c.SCRIPTED, messages: c.user(c.breaking), stream: true });
  await assert.rejects(async () => {
    for await (const chunk of stream) assert.ok(chunk);
  }, /boom/);
});

test('abort and timeout free the model', async () => {
  const body = { model: c.SCRIPTED, messages: c.user(c.hanging) };
  const stream = await client.chat.completions.create({ ...body, stream: true });
  for await (const chunk of stream) {
    assert.equal(chunk.choices[0].delta.content, 'Hello');
    break;
  }
  await c.idle();
  await assert.rejects(client.chat.completions.create(body, { timeout: 300 }), OpenAI.APIConnectionTimeoutError);
  await c.idle();
});

test('embeds in order, by the default of the package and as numbers', async () => {
  const packed = await client.embeddings.create({ model: c.MINILM, input: ['a', 'b'] });
  const plain = await client.embeddings.create({ model: c.MINILM, input: ['a', 'b'], encoding_format: 'float' });
  assert.deepEqual(packed.data.map((item) => item.embedding.length), [384, 384]);
  for (const [i, item] of packed.data.entries()) assert.deepEqual(item.embedding.map(Math.fround), plain.data[i].embedding.map(Math.fround));
  await assert.rejects(client.embeddings.create({ model: c.MINILM, input: 'word '.repeat(300) }), OpenAI.BadRequestError);
});

test('lists its models', async () => {
  const ids = [];
  for await (const model of await client.models.list()) ids.push(model.id);
  assert.ok(ids.includes(c.TINY));
});
