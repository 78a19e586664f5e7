import { expect, test } from 'vitest';
import { AIP1_CODES } from '../../../src/protocol/aip1/codes.js';
import { NATIVE_CODES } from '../../../src/protocol/codes.js';
import { tellsRevocation, refusalFact } from '../../../src/protocol/log/told.js';

test('one number tells different things in different dialects', () => {
  expect(refusalFact('native', 'AIP-E401')).toBe('agent_revoked');
  expect(refusalFact('aip-1', 'AIP-E400')).toBe('agent_revoked');
  expect(refusalFact('aip-1', 'AIP-E401')).toBeNull();
  expect(refusalFact('native', 'AIP-E403')).toBe('principal_revoked');
  expect(refusalFact('aip-1', 'AIP-E402')).toBe('principal_revoked');
  expect(refusalFact('aip-1', 'AIP-E300')).toBe('attestation_changed');
  expect(refusalFact('native', 'AIP-E301')).toBeNull();
});

test('only these codes of both catalogues tell of a revocation', () => {
  const telling = (dialect: string, codes: object) =>
    Object.values(codes as Record<string, { code: string }>)
      .filter(({ code }) => tellsRevocation({ dialect, error_code: code }))
      .map(({ code }) => code);
  expect(telling('native', NATIVE_CODES)).toEqual(['AIP-E401', 'AIP-E403']);
  expect(telling('aip-1', AIP1_CODES)).toEqual(['AIP-E400', 'AIP-E402']);
});

test.each([undefined, null, 5, 'toString', 'AIP-E9', 'constructor'])('%s tells nothing', (code) => {
  for (const dialect of ['native', 'aip-1', undefined, 'other', 'toString'])
    expect(refusalFact(dialect, code)).toBeNull();
});
