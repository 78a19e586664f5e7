import { expect, test } from 'vitest';
import { refusalLine, refusalOf, refusalToAsker } from '../../src/guard/refusal.js';
import type { Decision } from '../../src/verify/decision.js';

const said = (error_code: string, details: object): string =>
  refusalLine(refusalToAsker({ error_code, error_message: 'NAME', message: 'So.', details } as unknown as Decision));

test('one who can only ask again is told so, with the request that an approver answers', () => {
  const id = '0f'.repeat(16);
  expect(said('AIP-E209', { reason: 'required', request_id: id })).toBe(
    `AIP-E209 NAME: So. Have an approver answer \`aip approvals approve ${id}\`, then ask for the very same action again.`,
  );
  expect(said('AIP-E209', { reason: 'denied' })).toBe('AIP-E209 NAME: So. Do not ask for it before then.');
  const denied = { error_code: 'AIP-E209', error_message: 'NAME', message: 'So.', details: { reason: 'denied' } };
  expect(refusalOf(denied as unknown as Decision).remedy).toBe('Do not ask for it before then.');
  expect(said('AIP-E209', { reason: 'too_many_pending' })).toMatch(/Ask again when an approver has answered others\.$/);
  expect(said('AIP-E209', { reason: 'too_large' })).toMatch(/Ask for it in smaller parts\.$/);
  expect(said('AIP-E202', {})).toMatch(/Ask for no more than the limit/);
});

test('what may be no host or no money at all is helped by naming the params that a limit reads', () => {
  const guessed = said('AIP-E202', { requested: 1735689600000, guessed: true });
  expect(guessed).toMatch(/Ask for no more than the limit.* Where the param holds no money, .*"params": \[\.\.\.\]/);
  expect(said('AIP-E202', { requested: 101 })).not.toContain('"params"');
  const phone = said('AIP-E203', { requested_domain: '+15558675310' });
  expect(phone).toMatch(
    /^AIP-E203 NAME: So\. Write it as one plain address, .* names no destination, .*"params": \[\.\.\.\]/,
  );
  expect(phone).not.toContain('--allowed-domain ');
  const evil = said('AIP-E203', { requested_domain: 'evil.com' });
  expect(evil).toMatch(/So\. Send only to the allowed domains/);
  expect(evil).not.toContain('"params"');
  expect(said('AIP-E203', { requested_domain: 'jfk' })).toMatch(
    /So\. Send only to .* names no destination, .*"params"/,
  );
});
