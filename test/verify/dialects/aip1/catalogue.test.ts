import { describe, expect, test } from 'vitest';
import { AIP1_CODES } from '../../../../src/protocol/aip1/codes.js';
import { NATIVE_CODES, type CodeEntry, type NativeCodeName } from '../../../../src/protocol/codes.js';
import { failed, violation } from '../../../../src/verify/decision.js';
import { inAip1, verdictInAip1 } from '../../../../src/verify/dialects/aip1/violations.js';
import { leavesNonce } from '../../../../src/verify/nonce-spending.js';

const OURS = Object.values<CodeEntry>(AIP1_CODES);
const NAMES = Object.keys(NATIVE_CODES) as NativeCodeName[];

/** What RFC-001 has no word for, and its fixed place. */
const PLACES = {
  PASSPORT_INVALID: 'AIP-E406',
  PASSPORT_EXPIRED: 'AIP-E407',
  KEY_NOT_VALID: 'AIP-E100',
  KEY_REVOKED: 'AIP-E400',
  RATE_LIMIT_EXCEEDED: 'AIP-E205',
  VALUE_NOT_ALLOWED: 'AIP-E206',
  DOMAIN_RESTRICTION_VIOLATED: 'AIP-E206',
  SYMBOL_NOT_ALLOWED: 'AIP-E206',
  VALUE_LIMIT_EXCEEDED: 'AIP-E207',
  REQUIRED_PARAM_MISSING: 'AIP-E208',
  APPROVAL_REQUIRED: 'AIP-E209',
  PARAMS_INVALID: 'AIP-E211',
  TOOL_CHANGED: 'AIP-E215',
  APPROVAL_SPENT: 'AIP-E216',
} as const satisfies Partial<Record<NativeCodeName, string>>;

describe('the catalogue of AIP-1', () => {
  test.each(Object.entries(PLACES))('%s is %s', (name, code) => {
    expect(inAip1(violation(name as NativeCodeName, 'x', {})).entry.code).toBe(code);
  });

  test.each(NAMES)('%s never reaches a decision as the native entry', (name) => {
    const { entry } = inAip1(violation(name, 'x', {}));
    expect(OURS).toContain(entry);
    expect(Object.values<unknown>(NATIVE_CODES)).not.toContain(entry);
    // As final as what was found: a captured envelope must not wait for the window to have room again.
    if (name !== 'DAILY_LIMIT_EXCEEDED' && name !== 'TIMESTAMP_IN_FUTURE')
      expect(leavesNonce(inAip1(violation(name, 'x', {})))).toBe(leavesNonce(violation(name, 'x', {})));
  });

  test('each code stands once, and extensions are marked', () => {
    expect(new Set(OURS.map(({ code }) => code)).size).toBe(OURS.length);
    expect(OURS.filter(({ extension }) => extension === true).map(({ code, name }) => `${code} ${name}`)).toEqual([
      'AIP-E205 RATE_LIMIT',
      'AIP-E206 VALUE_NOT_ALLOWED',
      'AIP-E207 VALUE_LIMIT',
      'AIP-E208 REQUIRED_PARAM',
      'AIP-E209 APPROVAL_REQUIRED',
      'AIP-E211 PARAMS_INVALID',
      'AIP-E215 TOOL_CHANGED',
      'AIP-E216 APPROVAL_SPENT',
    ]);
    for (const [key, { name }] of Object.entries(AIP1_CODES)) expect(name).toBe(key);
  });

  test("a hook's own code stays its own", () => {
    const own = { entry: { code: 'FRAUD', name: 'FRAUD', concern: 'approval' }, message: 'x', details: {} } as const;
    expect(verdictInAip1(failed(own))).toEqual(failed(own));
  });
});
