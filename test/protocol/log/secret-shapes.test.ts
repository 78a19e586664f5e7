/** Every shape a secret comes in, as data: what is kept of it in an entry, and with that in what is shipped and exported. */
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { maskError, maskMemberName, maskText } from '../../../src/protocol/log/secret-text.js';
import { MASK, maskDetails, maskParams, paramsCommitted } from '../../../src/protocol/log/secrets.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';

const VECTORS = JSON.parse(readFileSync(new URL('../../vectors/secrets-in-params.json', import.meta.url), 'utf8')) as {
  readonly secret: readonly { name: string; params: JsonObject }[];
  readonly honest: readonly JsonObject[];
};

describe('a secret as', () => {
  test.each(VECTORS.secret)('$name is masked', ({ params }) => {
    const before = JSON.stringify(params);
    const masked = JSON.stringify(maskParams(params));
    expect(masked).not.toContain('hunter2');
    expect(masked).toContain(MASK);
    expect(JSON.stringify(params)).toBe(before);
    const deep = JSON.stringify(maskParams({ a: [[{ b: params }]] }));
    expect(deep).not.toContain('hunter2');
    expect(JSON.stringify(maskDetails({ requested: params }))).not.toContain('hunter2');
    // What was masked once is not masked further.
    expect(maskParams(maskParams(params))).toEqual(maskParams(params));
  });
});

test('a word of twelve characters holds no shape of a secret, and one of more may', () => {
  const sign = fc.constantFrom(
    'sk_',
    'rk_',
    'ghp_',
    'npm_',
    'hf_',
    'AKIA',
    'ASIA',
    'AIza',
    'eyJ',
    'aipm_',
    'aipm_a_',
    '',
  );
  const word = fc.tuple(sign, fc.stringMatching(/^\w{0,12}$/)).map((parts) => parts.join('').slice(0, 12));
  // What errors say goes through every shape, however short it is.
  fc.assert(
    fc.property(word, (text) => {
      expect([maskError(text), maskText(text), maskMemberName(text)]).toEqual([text, text, text]);
    }),
  );
  expect(maskMemberName('aipm_a_123456')).toBe('aipm_a_[masked]');
});

test.each(VECTORS.honest)('%j is kept', (params) => {
  expect(maskParams(params)).toBe(params);
});

test('two names that would become one are both kept, in whatever order they came', () => {
  const masked = { [`https://${MASK}@acme.com`]: 2, [`https://${MASK}@acme.com (2)`]: 1 };
  expect(maskParams({ 'https://b:2@acme.com': 1, 'https://a:1@acme.com': 2 })).toEqual(masked);
  expect(maskParams({ 'https://a:1@acme.com': 2, 'https://b:2@acme.com': 1 })).toEqual(masked);
  const taken = { 'https://a:1@acme.com': 1, [`https://${MASK}@acme.com`]: 2 };
  expect(Object.keys(maskParams(taken))).toHaveLength(2);
  // Name and value are committed to together, under the name that is shown.
  expect(paramsCommitted({ x: 1, 'https://a:1@acme.com': 2 })).toEqual({
    x: 1,
    [`https://${MASK}@acme.com`]: { 'https://a:1@acme.com': 2 },
  });
  expect(paramsCommitted(taken)).not.toEqual(taken);
});

test('of an API key of a mesh its role and its id stay: what a person revokes it by', () => {
  expect(maskText('joined with aipm_operator_0123456789ab_c0ffee.')).toBe(
    `joined with aipm_operator_0123456789ab_${MASK}.`,
  );
  expect(maskText('joined with aipm_operator_c0ffee.')).toBe(`joined with aipm_operator_${MASK}.`);
});

test('reads a text once, whatever stands in it', () => {
  for (const part of [
    'a.',
    'a=',
    '://',
    '--a ',
    'password=',
    '"',
    '\\"',
    '<a ',
    'https://a:',
    '-----BEGIN PRIVATE KEY',
    'Bearer ',
    'eyJaaaaaaaa.',
    ',a:',
    ',a:@',
    ',a:@b',
    '\\',
    '=//',
    'mysql ',
    'mysql "',
    'login -p',
    'config set ',
    'password (',
    '-u a',
    '-U a',
    '-U,',
    'identified with a ',
    'net use ',
    'htpasswd -b ',
    'echo ',
    'chpasswd <',
    'a --stdin <<< ',
    'sqlplus a',
    'vault ',
    '\nvault login',
    'curl -E ',
    'gh secret set -b ',
    'create user ',
    'create user a identified by ',
  ])
    maskText(part.repeat(60_000));
});

test('numbers in a login are masked behind curl alone: elsewhere they are a user and a group', () => {
  expect(maskText('curl -u 1234:5678 https://acme.com')).toBe(`curl -u ${MASK} https://acme.com`);
  expect(maskText('docker run -u 1000:1000 image')).toBe('docker run -u 1000:1000 image');
});

test('reads a list of words once, whatever stands in it', () => {
  const words = Array<string>(60_000).fill('-p1');
  expect(maskParams({ command: 'ls', args: words })).toEqual({ command: 'ls', args: words });
  const masked = maskParams({ command: '/usr/bin/mysql', args: words });
  expect(new Set(masked['args'] as string[])).toEqual(new Set([`-p${MASK}`]));
});
