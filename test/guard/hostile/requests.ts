/** Requests that nobody means well with: what is right, bent in one place or in several. */
import fc from 'fast-check';

/** Ways to bend a text of JSON so that two readers could differ about it, or so that it is none. */
const BENT: readonly ((text: string, at: number) => string)[] = [
  (text) => text,
  // A member twice, before and behind the other one.
  (text) => text.replace('{', '{"params":{"name":"secret","amount":1000000},'),
  (text) => text.replace(/\}$/, ',"method":"tools/call","params":{"name":"secret","arguments":{}}}'),
  (text) => text.replace(/"(name|action|agent_id)":/, '"$1":"secret","$1":'),
  (text) => text.replace(/"id":/, '"id":null,"ID":'),
  (text) => text.replace(/"id":[^,}]+/, '"id":1.5'),
  (text) => text.replace(/"id":[^,}]+,/, ''),
  (text) => `[${text}]`,
  (text) => `[${text},${text}]`,
  (text) => text + text,
  (text) => `\ufeff${text}`,
  (text, at) => text.slice(0, at % (text.length + 1)),
  (text, at) => `${text.slice(0, at % (text.length + 1))}\u0000${text.slice(at % (text.length + 1))}`,
  (text) => text.replace(/"arguments":\{/, '"arguments":{"__proto__":{"amount":1},'),
  (text) => text.replace(/:(\d+)/, ':$1e400'),
  (text) => text.replace(/:(\d+)/, ':123456789012345678901234567890'),
  (text) => text.replace('"2.0"', '"1.0"'),
  (text) => text.replace(/"method":"[^"]*"/, '"method":"tools/run"'),
  (text) => '{"a":'.repeat(5_000) + text + '}'.repeat(5_000),
];

/** A text of JSON, bent or whole; bytes that are none once in a while. */
export function bent(text: string): fc.Arbitrary<Uint8Array> {
  const spoilt = fc
    .tuple(fc.array(fc.constantFrom(...BENT), { minLength: 0, maxLength: 3 }), fc.nat())
    .map(([ways, at]) => Buffer.from(ways.reduce((given, way) => way(given, at), text)));
  const bytes = fc.uint8Array({ maxLength: 64 });
  const flipped = fc.tuple(spoilt, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([given, at, byte]) => {
    const copy = Buffer.from(given);
    if (copy.length > 0) copy[at % copy.length] = byte;
    return copy;
  });
  return fc.oneof({ weight: 6, arbitrary: spoilt }, { weight: 2, arbitrary: flipped }, bytes);
}
