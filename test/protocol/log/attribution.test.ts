import { describe, expect, test } from 'vitest';
import { AIP1_CODES } from '../../../src/protocol/aip1/codes.js';
import { NATIVE_CODES } from '../../../src/protocol/codes.js';
import {
  AIP1_ATTRIBUTION,
  isAttributable,
  isCounted,
  NATIVE_ATTRIBUTION,
} from '../../../src/protocol/log/attribution.js';

const COUNTS = 'E201 E202 E203 E204 E205 E206 E207 E208 E210 E211 E212'.split(' ').map((code) => `AIP-${code}`);
const AIP1_COUNTS = 'E200 E201 E202 E300 E301 E303 E205 E206 E207 E208 E211'.split(' ').map((code) => `AIP-${code}`);

describe('what an agent is held to', () => {
  test('is said of every code of both catalogues', () => {
    expect(Object.keys(NATIVE_ATTRIBUTION).sort()).toEqual(Object.keys(NATIVE_CODES).sort());
    expect(Object.keys(AIP1_ATTRIBUTION).sort()).toEqual(Object.keys(AIP1_CODES).sort());
  });

  test.each(Object.values(NATIVE_CODES).map(({ code }) => code))('%s of the native dialect', (error_code) => {
    expect(isAttributable({ dialect: 'native', error_code })).toBe(COUNTS.includes(error_code));
  });

  test.each(Object.values(AIP1_CODES).map(({ code }) => code))('%s of AIP-1', (error_code) => {
    expect(isAttributable({ dialect: 'aip-1', error_code })).toBe(AIP1_COUNTS.includes(error_code));
  });

  test.each(['AIP-E202', 'AIP-E208', 'AIP-E211', 'AIP-E203'])(
    '%s is not counted where it was guessed',
    (error_code) => {
      expect(isAttributable({ dialect: 'native', error_code, details: { guessed: true } })).toBe(false);
      expect(isAttributable({ dialect: 'native', error_code, details: { presented_before: true } })).toBe(false);
      expect(isAttributable({ dialect: 'native', error_code, details: { unmeasured: true } })).toBe(false);
      expect(isAttributable({ dialect: 'native', error_code, details: { unbound_key: true } })).toBe(false);
    },
  );

  test('what a guard only looked on at counts for nothing, whatever its code', () => {
    for (const { code: error_code } of Object.values(NATIVE_CODES))
      expect(isAttributable({ dialect: 'native', error_code, observed: true })).toBe(false);
    expect(isAttributable({ dialect: 'native', error_code: 'FRAUD_SUSPECTED', observed: true })).toBe(false);
    expect([isCounted({ observed: true }), isCounted({})]).toEqual([false, true]);
  });

  test("what the verifier's own limits ask for is not the passport's", () => {
    for (const error_code of ['AIP-E208', 'AIP-E211']) {
      expect(isAttributable({ dialect: 'native', error_code, details: { bound: 'caller' } })).toBe(false);
      expect(isAttributable({ dialect: 'native', error_code, details: { bound: 'passport' } })).toBe(true);
    }
  });

  test('a number without a row counts for nothing; a code of a hook is a judgement', () => {
    expect(isAttributable({ dialect: 'native', error_code: 'AIP-E299' })).toBe(false);
    expect(isAttributable({ dialect: 'native', error_code: 'FRAUD_SUSPECTED' })).toBe(true);
    expect(isAttributable({ dialect: 'native', error_code: 'HOOK_FAILED' })).toBe(false);
    expect(isAttributable({ dialect: 'native', error_code: null })).toBe(true);
  });
});
