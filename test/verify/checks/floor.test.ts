import { describe, expect, test } from 'vitest';
import { passportOf } from '../../../src/protocol/passport.js';
import { demandProblem, floorProblem, type Floor } from '../../../src/verify/checks/floor.js';
import { passport } from '../../kit/native/passport-cases.js';

const SECOND = passportOf(passport('support-agent-v1', { serial: 2 }));
const OTHER = `sha256:${'0'.repeat(64)}`;
const own = (serial: number): Floor => ({ serial, hash: SECOND.hash() });
const reason = (...floors: Floor[]) => floorProblem(SECOND, floors)?.details.reason ?? null;

describe('a passport beside those that are known', () => {
  test.each<[string, readonly Floor[], string | null]>([
    ['counts where none is known', [], null],
    ['counts where it is the one that is known', [own(2)], null],
    ['counts where only its serial is known', [{ serial: 2, hash: null }], null],
    ['counts above another that it replaced', [{ serial: 1, hash: OTHER }], null],
    ['counts no more once a higher serial is known', [{ serial: 3, hash: null }], 'superseded'],
    ['counts no more whatever else is known', [own(2), { serial: 3, hash: OTHER }, own(1)], 'superseded'],
    ['never replaces another of its own serial', [{ serial: 2, hash: OTHER }], 'conflict'],
    [
      'never replaces another of its own serial that is known beside it',
      [own(2), { serial: 2, hash: OTHER }],
      'conflict',
    ],
  ])('%s', (_, floors, expected) => {
    expect(reason(...floors)).toBe(expected);
    expect(reason(...floors.toReversed())).toBe(expected);
  });

  test('is told which one is known instead', () => {
    expect(floorProblem(SECOND, [own(2), { serial: 2, hash: OTHER }])!.details).toMatchObject({
      serial: 2,
      passport_hash: SECOND.hash(),
      known_hash: OTHER,
    });
  });
});

test.each([
  [{ minSerial: null, hash: null }, null],
  [{ minSerial: 2, hash: SECOND.hash() }, null],
  [{ minSerial: 1, hash: null }, null],
  [{ minSerial: 3, hash: SECOND.hash() }, 'superseded'],
  [{ minSerial: 2, hash: OTHER }, 'conflict'],
  [{ minSerial: null, hash: OTHER }, 'conflict'],
])('a caller that demands %j', (demand, expected) => {
  expect(demandProblem(SECOND, demand)?.details.reason ?? null).toBe(expected);
});

test('what a caller demands is not said to be known here', () => {
  expect(demandProblem(SECOND, { minSerial: 3, hash: null })!.message).toMatch(
    / has serial 2 and was replaced: at least 3 is demanded\.$/,
  );
  expect(demandProblem(SECOND, { minSerial: null, hash: OTHER })!.message).toMatch(/ another hash than .* demanded\.$/);
});
