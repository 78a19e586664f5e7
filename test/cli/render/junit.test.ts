import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderJunit } from '../../../src/cli/render/formats/junit.js';
import type { Decision } from '../../../src/verify/decision.js';
import { ACCEPTED, AGENT, hostileDecision, REFUND, refusal } from './decision-sample.js';

interface Case {
  classname: string;
  name: string;
  failure: { type: string; message: string; text: string } | null;
}
const attribute = (tag: string, name: string) => {
  const value = new RegExp(` ${name}="([^"<]*)"`).exec(tag)?.[1];
  if (value === undefined) throw new Error(`${name} is not in ${tag}`);
  return decode(value);
};
const decode = (text: string) =>
  text.replace(
    /&(amp|lt|gt|quot|apos);/g,
    (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" })[name]!,
  );

/** The cases of a report; strict about its shape, so that nothing can stand between them. */
function read(xml: string): Case[] {
  const match =
    /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites [^<>]*>\n  <testsuite [^<>]*>\n([^]*)  <\/testsuite>\n<\/testsuites>$/.exec(
      xml,
    );
  if (match === null) throw new Error('not a report');
  const cases: Case[] = [];
  const rest = match[1]!.replace(
    /    (<testcase [^<>]*?)(?:\/>|>\n      (<failure [^<>]*>)([^<>]*)<\/failure>\n    <\/testcase>)\n/g,
    (_, open: string, failure: string | undefined, text: string | undefined) => {
      cases.push({
        classname: attribute(open, 'classname'),
        name: attribute(open, 'name'),
        failure:
          failure === undefined
            ? null
            : { type: attribute(failure, 'type'), message: attribute(failure, 'message'), text: decode(text!) },
      });
      return '';
    },
  );
  expect(rest).toBe('');
  return cases;
}

test('the suite is named by the command that ran', () => {
  expect(renderJunit([], 'aip policy test')).toContain('<testsuite name="aip policy test" tests="0"');
});

test('an accepted intent is a case, a refused one a case with a failure', () => {
  const xml = renderJunit([ACCEPTED, { ...REFUND, source: 'big.json' }]);
  expect(xml).toContain('<testsuite name="aip intent verify" tests="2" failures="1" errors="0" skipped="0">');
  const [ok, refused] = read(xml);
  expect(ok).toEqual({ classname: AGENT, name: 'issue_refund (intent.json)', failure: null });
  expect(refused).toMatchObject({
    name: 'issue_refund (big.json)',
    failure: { type: 'AIP-E202', message: '10000 USD is above the limit of 100 USD for one action.' },
  });
  expect(refused!.failure!.text.split('\n')).toEqual([
    'AIP-E202 MONETARY_LIMIT_EXCEEDED: 10000 USD is above the limit of 100 USD for one action.',
    '  requested: 10000',
    '  limit: 100',
    '  currency: USD',
    '  param: amount',
    expect.stringMatching(/^next: /),
  ]);
});

test('cases of one name are told apart, the same way in every run', () => {
  const decisions = [ACCEPTED, REFUND, ACCEPTED, { ...ACCEPTED, agent_id: null, action: null, source: null }];
  expect(read(renderJunit(decisions)).map(({ classname, name }) => `${classname} ${name}`)).toEqual([
    `${AGENT} issue_refund (intent.json)`,
    `${AGENT} issue_refund (intent.json) #2`,
    `${AGENT} issue_refund (intent.json) #3`,
    'unknown agent unreadable document (-)',
  ]);
  expect(renderJunit(decisions)).toBe(renderJunit(decisions));
});

test('nothing at all is a report of nothing', () => {
  expect(read(renderJunit([]))).toEqual([]);
});

describe('hostile text', () => {
  test.each([
    '<',
    '>',
    '&',
    '"',
    "'",
    ']]>',
    '<!--',
    '&amp;',
    '</failure>',
    '" injected="1',
    '\u0000',
    '\u0008',
    '\u001b[2J',
    '\ufffe',
    '\uffff',
    '\ud800',
    '\udc00',
  ])('%j neither breaks the report nor stays as it is', (text) => {
    const decision = refusal(
      `C${text}`,
      text,
      { fact: text },
      { agent_id: text, action: text, message: text, source: text },
    );
    const [only] = read(renderJunit([decision]));
    expect(only!.failure!.type).toBe(`C${text}`.replace(/\u001b\[2J|[\u0000-\u001f\ufffe\uffff]|\p{Cs}/gu, ''));
    expect(renderJunit([decision])).not.toMatch(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u);
  });

  test('any of it leaves one case an intent', () => {
    fc.assert(
      fc.property(fc.array(hostileDecision, { maxLength: 4 }), (decisions) => {
        expect(read(renderJunit(decisions))).toHaveLength(decisions.length);
      }),
    );
  });
});

// A real XML parser reads the same; it reads ours on standard input and prints the number of cases.
const PARSE =
  'import sys, xml.etree.ElementTree as t; r = t.fromstring(sys.stdin.buffer.read()); print(len(r.findall("./testsuite/testcase")), len(r.findall(".//failure")))';
const python = spawnSync('python3', ['-c', 'import xml.etree.ElementTree'], { timeout: 20_000 });
const missing = python.status !== 0;
if (missing) console.log('skipped: python3 is not here to parse the JUnit report');

test.skipIf(missing)('a real XML parser accepts it', () => {
  const hostile = fc.sample(hostileDecision, { numRuns: 200, seed: 7 });
  const decisions: Decision[] = [ACCEPTED, REFUND, ...hostile];
  const run = spawnSync('python3', ['-c', PARSE], { input: renderJunit(decisions), timeout: 20_000, encoding: 'utf8' });
  expect(run.stderr).toBe('');
  expect(run.stdout.trim()).toBe('202 201');
});
