import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalId, principalNamedBy, subjectOf } from '../../../src/protocol/identity/subject.js';
import { agentId, isAgentId } from '../../../src/protocol/identity/did.js';
import { canonicalSubject, scopeOf } from '../../../src/mesh/subject.js';

interface Vector {
  readonly text: string;
  readonly canonical: string | null;
  readonly kind: string | null;
  readonly why: string;
}
const { vectors } = JSON.parse(readFileSync(new URL('../../vectors/ids.json', import.meta.url), 'utf8')) as {
  vectors: Vector[];
};

describe('the canonical spelling of a subject', () => {
  test.each(vectors)('$text: $why', ({ text, canonical, kind }) => {
    const subject = subjectOf(text);
    expect([subject?.id ?? null, subject?.kind ?? null]).toEqual([canonical, kind]);
    expect([canonicalSubject(text), scopeOf(text)]).toEqual([canonical, kind]);
    // Only agents and principals speak; a key, everyone and what has no spelling do not.
    const speaks = kind === 'agent' || kind === 'principal';
    expect(canonicalId(text)).toBe(speaks ? canonical : null);
  });

  test('there are at least 32 vectors', () => expect(vectors.length).toBeGreaterThanOrEqual(32));

  const piece = fc.constantFrom(
    ...[
      'did:web:',
      'acme.com',
      'ACME.com',
      'bücher',
      '.',
      '..',
      ':',
      '%3a',
      '%3A',
      '%41',
      '%%34',
      '1',
      '8443',
      'agents',
      'bot',
    ],
    ...['#key-1', '<', '_', '-', '%', '%25', '%2', 'xn--', '@', 'did:key:', 'K', '\u200b', ' '],
  );
  const odd = fc.oneof(
    fc.array(piece, { maxLength: 10 }).map((parts) => parts.join('')),
    fc.array(piece, { maxLength: 10 }).map((parts) => `did:web:${parts.join('')}`),
    fc.string(),
  );

  test('is its own canonical spelling', () => {
    fc.assert(
      fc.property(odd, (text) => {
        const subject = subjectOf(text);
        if (subject === null) return;
        expect(subjectOf(subject.id)).toEqual(subject);
        expect(subject.id.length).toBeLessThanOrEqual(512);
      }),
      { numRuns: 3000 },
    );
  });

  test('every id of a native document is canonical as it stands', () => {
    const label = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    fc.assert(
      fc.property(label, label, (host, name) => {
        const id = agentId(`${host}.com`, name);
        expect([isAgentId(id), canonicalId(id)]).toEqual([true, id]);
      }),
    );
  });

  test('the principal of an agent is what stands before :agents:', () => {
    expect(principalNamedBy('did:web:acme.com%3A8443:agents:bot')).toBe('did:web:acme.com%3A8443');
    expect(principalNamedBy('did:key:z6Mk')).toBe('did:key:z6Mk');
  });
});
