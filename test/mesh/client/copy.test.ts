/** What a copy keeps of a history that the mesh no longer tells. */
import { expect, test } from 'vitest';
import { Copy } from '../../../src/mesh/client/copy.js';
import type { Standing } from '../../../src/mesh/standing.js';
import { AGENT, LOG_ID, PRINCIPAL } from '../../kit/mesh/server.js';

const place = (seq: number, hash: string, logId = LOG_ID) => ({ logId, term: 1, seq, hash: hash.repeat(64) });
const standing = (status: Standing['status'], version: number, changedAt: number, seq: number): Standing => ({
  ...{ subject: AGENT, status, reason: null, changedAt, changedBy: null, suspendedUntil: null, version, seq },
});
const snapshot = (head: ReturnType<typeof place>, ...standings: Standing[]) => ({
  ...{ time: '2026-02-18T14:00:00.000Z', head, standings, passports: null },
});

/** A copy that has applied a revocation, version 3, as event 8 of a history that a restore to event 5 has ended. */
function behind(): Copy {
  const copy = new Copy();
  copy.restore(place(8, 'a'), [standing('revoked', 3, 800, 8)], []);
  return copy;
}

const denies = (copy: Copy) => copy.denial(AGENT, 10_000) !== null;

test('a deny that a restore has lost is kept, and lifted by a reinstatement that a snapshot tells of', () => {
  const copy = behind();
  expect(copy.replace(snapshot(place(5, 'b'), standing('active', 2, 400, 4)))).toContain('the log ends at 5');
  expect(denies(copy)).toBe(true);
  expect(copy.replace(snapshot(place(9, 'c'), standing('active', 4, 900, 9)))).toBeNull();
  expect(denies(copy)).toBe(false);
});

test.each([
  ['given again and lifted before the copy was heard of', standing('active', 4, 900, 7), LOG_ID, false],
  ['of a version that both histories may share', standing('active', 3, 900, 7), LOG_ID, true],
  ['from before the deny, by the clock of the mesh', standing('active', 4, 700, 7), LOG_ID, true],
  ['of another log', standing('active', 4, 900, 7), 'b2'.repeat(16), true],
])('a reinstatement %s', (_what, lifted, logId, stays) => {
  const copy = behind();
  expect(copy.replace(snapshot(place(7, 'b', logId), lifted))).not.toBeNull();
  expect(denies(copy)).toBe(stays);
});

test('a lost deny of the principal denies its agents, though no principal stands in the snapshot', () => {
  const copy = new Copy();
  copy.restore(place(8, 'a'), [{ ...standing('revoked', 1, 800, 8), subject: PRINCIPAL }], []);
  expect(copy.replace(snapshot(place(5, 'b')))).not.toBeNull();
  expect(denies(copy)).toBe(true);
});

test.each([
  ['that the snapshot has', 7, []],
  ['that the snapshot has not, which is past it', 6, [null]],
])('a deny that came ahead of its place, as event 7, %s', (_, seq, until) => {
  const copy = new Copy();
  copy.restore(place(5, 'a'), [], [{ standing: standing('revoked', 1, 700, 7), until: 7 }]);
  expect(copy.replace(snapshot(place(9, 'c'), standing('revoked', 1, 700, seq)))).toBeNull();
  expect([...copy.kept()].map((kept) => kept.until)).toEqual(until);
});
