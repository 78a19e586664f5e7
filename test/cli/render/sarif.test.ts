import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderSarif } from '../../../src/cli/render/formats/sarif.js';
import { sarifMessage } from '../../../src/cli/render/formats/unread.js';
import { AIP1_CODES } from '../../../src/protocol/aip1/codes.js';
import { NATIVE_CODES } from '../../../src/protocol/codes.js';
import type { Decision } from '../../../src/verify/decision.js';
import { ACCEPTED, hostileDecision, REFUND, refusal, UNSAFE } from './decision-sample.js';

// The members that aip writes, with the bounds that the SARIF 2.1.0 schema (OASIS, errata 01) sets for them: every object there
// refuses members it does not name.
const text = { type: 'string' };
const closed = (properties: object, required: string[] = []) => ({
  type: 'object',
  additionalProperties: false,
  properties,
  required,
});
const message = closed({ text }, ['text']);
const index = { type: 'integer', minimum: -1 };
const bag = { type: 'object' };
const level = { enum: ['none', 'note', 'warning', 'error'] };
const rule = closed(
  {
    id: text,
    name: text,
    shortDescription: message,
    fullDescription: message,
    help: message,
    defaultConfiguration: closed({ level }),
  },
  ['id'],
);
const physicalLocation = closed(
  {
    artifactLocation: closed({ uri: { ...text, pattern: "^[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]+$" } }),
    region: closed({ startLine: { type: 'integer', minimum: 1 } }),
  },
  ['artifactLocation'],
);
const result = closed(
  {
    ruleId: text,
    ruleIndex: index,
    level,
    message,
    locations: { type: 'array', items: closed({ physicalLocation }) },
    partialFingerprints: { type: 'object', additionalProperties: text },
    properties: bag,
  },
  ['message'],
);
const driver = closed(
  { name: text, version: text, semanticVersion: text, rules: { type: 'array', uniqueItems: true, items: rule } },
  ['name'],
);
const run = closed(
  {
    tool: closed({ driver }, ['driver']),
    invocations: {
      type: 'array',
      items: closed({ executionSuccessful: { type: 'boolean' } }, ['executionSuccessful']),
    },
    columnKind: { enum: ['utf16CodeUnits', 'unicodeCodePoints'] },
    results: { type: 'array', items: result },
  },
  ['tool'],
);
const validate = new Ajv({ allErrors: true }).compile(
  closed({ $schema: text, version: { const: '2.1.0' }, runs: { type: 'array', items: run } }, ['version', 'runs']),
);

interface Result {
  ruleId: string;
  ruleIndex: number;
  level: string;
  message: { text: string };
  locations: [{ physicalLocation: { artifactLocation: { uri: string }; region: { startLine: number } } }];
  partialFingerprints: Record<string, string>;
}
function read(decisions: readonly Decision[]): { rules: { id: string; name: string }[]; results: Result[] } {
  const json = renderSarif(decisions);
  const log = JSON.parse(json);
  expect(validate(log), JSON.stringify(validate.errors)).toBe(true);
  const [{ tool, results }] = log.runs;
  return { rules: tool.driver.rules, results };
}
const print = (decision: Decision) =>
  read([decision]).results.map((each) => each.partialFingerprints['intentAndCode/v1']);

test('every code is a rule, in one order; an accepted intent makes no result', () => {
  const { rules, results } = read([ACCEPTED]);
  expect(rules.map(({ id, name }) => [id, name])).toEqual([
    ...Object.values(NATIVE_CODES).map(({ code, name }) => [code, name]),
    ...Object.values(AIP1_CODES).map(({ code, name }) => [`aip-1/${code}`, name]),
  ]);
  expect(results).toEqual([]);
  expect(read([]).results).toEqual([]);
});

test('a refusal is a result that points at its rule and its file', () => {
  const { rules, results } = read([ACCEPTED, REFUND]);
  expect(results).toHaveLength(1);
  const [found] = results;
  expect(rules[found!.ruleIndex]!.id).toBe('AIP-E202');
  expect(found).toMatchObject({
    ruleId: 'AIP-E202',
    level: 'error',
    partialFingerprints: { 'intentAndCode/v1': 'sha256:0a1b:AIP-E202' },
  });
  expect(found!.message.text).toContain('10000 USD is above the limit');
  expect(found!.message.text).toContain('requested 10000, limit 100');
  expect(found!.locations[0].physicalLocation.artifactLocation.uri).toBe('intent.json');
});

test('every violation is a result of its own, two of one code as well', () => {
  const domain = (name: string) => ({
    error_code: 'AIP-E203',
    error_message: 'DOMAIN_RESTRICTION_VIOLATED',
    details: { requested_domain: name },
  });
  const decision = { ...REFUND, violations: [...REFUND.violations, domain('evil.com'), domain('bad.org')] };
  const { results } = read([decision]);
  expect(results.map(({ ruleId }) => ruleId)).toEqual(['AIP-E202', 'AIP-E203', 'AIP-E203']);
  expect(results[2]!.message.text).toContain('bad.org');
  expect(new Set(print(decision)).size).toBe(3);
});

test('fingerprints are stable over time and place, and differ by intent and code', () => {
  expect(print({ ...REFUND, verified_at: '2030-01-01T00:00:00.000Z', source: 'moved.json' })).toEqual(print(REFUND));
  expect(print({ ...REFUND, intent_hash: 'sha256:ffff' })).not.toEqual(print(REFUND));
  expect(print(refusal('AIP-E301', 'REPLAY_DETECTED'))).not.toEqual(print(REFUND));
});

test("a hook's code and another dialect's get rules of their own", () => {
  const { rules, results } = read([
    refusal('ACME-7', 'OFFICE_CLOSED'),
    refusal('ACME-7', 'OFFICE_CLOSED'),
    refusal('AIP-E202', 'SOMETHING_ELSE', {}, { dialect: 'aip-1' }),
  ]);
  expect(results.map(({ ruleId }) => ruleId)).toEqual(['ACME-7', 'ACME-7', 'aip-1/AIP-E202']);
  for (const { ruleId, ruleIndex } of results) expect(rules[ruleIndex]!.id).toBe(ruleId);
  expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
});

/** An embedded link (SARIF 2.1.0, 3.11.6): a backslash takes the meaning of the bracket, or backslash, behind it. */
const LINK = /(?<!\\)(?:\\\\)*\[(?:[^\\[\]]|\\[\\[\]])*\]\([^)]*\)/;

test.each([
  '[Approve it here](https://evil.example)',
  '[a](1)',
  '\\[a\\](https://evil.example)',
  '[a\\\\](https://evil.example)',
  '[[a]](https://evil.example)',
])('an action makes no link of the message: %s', (action) => {
  const [found] = read([{ ...REFUND, action }]).results;
  expect(found!.message.text).not.toMatch(LINK);
  // A reader that undoes the escape sees the action, and brackets without an address stay as they are.
  expect(found!.message.text.replace(/\\([\\\]])/g, '$1')).toContain(action);
  const [other] = read([{ ...REFUND, action: 'items[0] (all)' }]).results;
  expect(other!.message.text).toContain('items[0] (all)');
});

test('a message of backslashes takes no longer than another', () => {
  const before = performance.now();
  expect(sarifMessage('\\'.repeat(100_000)).text).toHaveLength(100_000);
  expect(performance.now() - before).toBeLessThan(1000);
});

describe('locations', () => {
  test.each([
    ['dir/intent.json', 'dir/intent.json', 1],
    ['a b/ü#?.json', 'a%20b/%C3%BC%23%3F.json', 1],
    ['100%.json', '100%25.json', 1],
    ['/abs/x.json', 'file:///abs/x.json', 1],
    ['//abs/x.json', 'file:///abs/x.json', 1],
    ['dir\\x.json', 'dir/x.json', 1],
    ['C:\\dir\\x y.json', 'file:///C:/dir/x%20y.json', 1],
    ['javascript:alert(1)', 'javascript%3Aalert(1)', 1],
    ['batch.ndjson:12', 'batch.ndjson', 12],
    ['\ud800.json', '%EF%BF%BD.json', 1],
    ['line 7', 'stdin', 7],
    ['-', 'stdin', 1],
    [null, 'stdin', 1],
  ])('%j', (source, uri, startLine) => {
    const [{ physicalLocation }] = read([{ ...REFUND, source }]).results[0]!.locations;
    expect(physicalLocation).toEqual({ artifactLocation: { uri }, region: { startLine } });
  });
});

test('hostile intents make a valid log whose text is text', () => {
  fc.assert(
    fc.property(fc.array(hostileDecision, { maxLength: 3 }), (decisions) => {
      expect(renderSarif(decisions).replaceAll('\n', '')).not.toMatch(UNSAFE);
      for (const { message } of read(decisions).results) expect(message.text).not.toMatch(UNSAFE);
    }),
  );
});
