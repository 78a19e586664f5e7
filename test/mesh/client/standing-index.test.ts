import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StandingIndex } from '../../../src/mesh/client/standing-index.js';
import type { Standing } from '../../../src/mesh/standing.js';

function standing(subject: string, version = 1): Standing {
  const fields = { reason: null, changedAt: 0, changedBy: null, suspendedUntil: null, seq: version };
  return { subject, status: 'revoked', version, ...fields };
}

test('holds what a Map holds', () =>
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ maxLength: 3 }), fc.nat())), fc.array(fc.string()), (writes, others) => {
      const map = new Map<string, Standing>();
      const index = new StandingIndex();
      for (const [subject, version] of writes) {
        map.set(subject, standing(subject, version));
        index.set(standing(subject, version));
      }
      expect([...index.values()]).toEqual([...map.values()]);
      expect(index.size).toBe(map.size);
      for (const subject of [...map.keys(), ...others]) expect(index.get(subject)).toEqual(map.get(subject));
    }),
  ));

test('finds each of many, also after growing, and none that is not there', () => {
  const subjects = Array.from({ length: 20_000 }, (_, n) => `did:web:acme.com:agents:a${n}`);
  const index = new StandingIndex(subjects.map((subject) => standing(subject)));
  for (const subject of subjects) expect(index.get(subject)?.subject).toBe(subject);
  for (const subject of subjects) expect(index.get(`${subject}x`)).toBeUndefined();
  expect(index.size).toBe(20_000);
});

/** As the index hashes. */
function hashOf(subject: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < subject.length; i++) hash = Math.imul(hash ^ subject.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}

test('subjects that were chosen to want one slot are all found, and told apart', () => {
  const subjects: string[] = [];
  for (let n = 0; subjects.length < 100; n++) if ((hashOf(`a${n}`) & 0x3ff) === 5) subjects.push(`a${n}`);
  const index = new StandingIndex(subjects.map((subject, i) => standing(subject, i)));
  subjects.forEach((subject, i) => expect(index.get(subject)?.version).toBe(i));
  for (const [i, subject] of subjects.entries()) index.set(standing(subject, 1_000 + i));
  subjects.forEach((subject, i) => expect(index.get(subject)?.version).toBe(1_000 + i));
  expect(index.size).toBe(100);
  for (let n = 0; n < 10_000; n++) index.set(standing(`b${n}`));
  subjects.forEach((subject, i) => expect(index.get(subject)?.version).toBe(1_000 + i));
});
