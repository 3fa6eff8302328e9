// What the tests of all three clients share: the node, its models, and words for scripts (see src/test/scripted).
export const url = process.env.SKULK_URL;
export const TINY = 'skulk/tiny-chat-4bit';
export const SCRIPTED = 'test/scripted';
export const MINILM = 'sentence-transformers/all-MiniLM-L6-v2';
export const FRANCE = 'What is the capital of France?';
export const PARIS = 'The capital of France is Paris.';
export const BOSTON = 'What is the current weather in Boston?';
export const WEATHER = '{"location":"Boston","temperature_f":61,"condition":"cloudy"}';
export const FORECAST = 'It is 61 degrees and cloudy in Boston.';
export const location = { type: 'object', properties: { location: { type: 'string' } }, required: ['location'] };
export const verdict = {
  type: 'object',
  properties: { known: { type: 'boolean' }, colour: { type: 'string', enum: ['red', 'green', 'blue'] } },
  required: ['known', 'colour'],
  additionalProperties: false,
};
export const script = (...steps) => JSON.stringify(steps);
export const hanging = script({ text: 'Hello' }, { hang: true });
export const breaking = script({ text: 'Hello' }, { pause: 300 }, { fail: 'boom' });
export const user = (content) => [{ role: 'user', content }];

/** Waits until the node has no request under way. */
export async function idle() {
  for (let deadline = Date.now() + 60_000; Date.now() < deadline; ) {
    const metrics = await (await fetch(url + '/metrics')).text();
    if (/^skulk_requests_in_flight 0$/m.test(metrics)) return;
    await new Promise((next) => setTimeout(next, 50));
  }
  throw new Error('a request is still under way');
}

export function isVerdict(text) {
  const value = JSON.parse(text);
  return typeof value.known === 'boolean' && verdict.properties.colour.enum.includes(value.colour);
}
