import fc from 'fast-check';
import type { Paint } from '../../../src/cli/render/terminal/paint.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import type { Decision } from '../../../src/verify/decision.js';

export const AGENT = 'did:web:acme.com:agents:support-agent-v1';

export const ACCEPTED: Decision = {
  success: true,
  dialect: 'native',
  agent_id: AGENT,
  action: 'issue_refund',
  intent_hash: 'sha256:0a1b',
  error_code: null,
  error_message: null,
  message: `${AGENT} may do "issue_refund".`,
  details: null,
  violations: [],
  checks: ['passport', 'signature', 'nonce', 'timestamp', 'action', 'constraints', 'hooks', 'revocation', 'trust'].map(
    (check) =>
      check === 'trust' ? { check, status: 'skipped', reason: 'no minimum is set' } : { check, status: 'passed' },
  ),
  revocation: { status: 'active', age_ms: 812, degraded: false },
  warnings: [],
  verified_at: '2026-02-18T14:23:45.120Z',
  outcome_token: null,
  source: 'intent.json',
};

/** A refusal of one violation; `more` overrides members of the decision. */
export function refusal(code: string, name: string, details: JsonObject = {}, more: Partial<Decision> = {}): Decision {
  return {
    ...ACCEPTED,
    success: false,
    error_code: code,
    error_message: name,
    message: 'One sentence for people.',
    details,
    violations: [{ error_code: code, error_message: name, details }],
    checks: ACCEPTED.checks.map(({ check }, i) =>
      i < 5
        ? { check, status: 'passed' }
        : i === 5
          ? { check, status: 'failed', reason: name }
          : { check, status: 'skipped', reason: 'an earlier step failed' },
    ),
    revocation: { status: 'unknown', age_ms: null, degraded: false },
    ...more,
  };
}

export const REFUND = refusal(
  'AIP-E202',
  'MONETARY_LIMIT_EXCEEDED',
  { requested: 10000, limit: 100, currency: 'USD', param: 'amount', agent_id: AGENT },
  { message: '10000 USD is above the limit of 100 USD for one action.' },
);

/** Paint that shows: what must not be there without a colour, and what must not be painted before it is cleaned. */
export const marked: Paint = {
  bold: (text) => `<b>${text}</b>`,
  dim: (text) => `<dim>${text}</dim>`,
  red: (text) => `<red>${text}</red>`,
  green: (text) => `<green>${text}</green>`,
  yellow: (text) => `<yellow>${text}</yellow>`,
  cyan: (text) => `<cyan>${text}</cyan>`,
};

const NASTY = [
  '\u001b[31m',
  '\u001b]0;title\u0007',
  '\u009b2J',
  '\u0000',
  '\r',
  '\n',
  '\u2028',
  '\u202e',
  '\u200b',
  '\ud800',
  '\ufffe',
  '::error::',
  '##[command]',
  '%0A',
  '<!-- ',
  '<script>',
  ']]>',
  '&',
  '|',
  '`',
  '"',
  "'",
  '@someone',
  '[a](http://evil.com)',
  'http://evil.com',
  'ok',
  ' ',
  'ü',
];

/** Text that a stranger would send. */
export const hostileText = fc.array(fc.constantFrom(...NASTY), { maxLength: 6 }).map((parts) => parts.join(''));

/** Refused decisions in which every string of a stranger is hostile. */
export const hostileDecision: fc.Arbitrary<Decision> = fc
  .tuple(
    fc.record({
      agent_id: hostileText,
      action: hostileText,
      message: hostileText,
      source: hostileText,
      code: hostileText,
    }),
    fc.dictionary(hostileText, fc.oneof(hostileText, fc.integer(), fc.array(hostileText, { maxLength: 3 })), {
      maxKeys: 4,
    }),
  )
  .map(([{ agent_id, action, message, source, code }, details]) => ({
    ...refusal(code, message, details as JsonObject, { agent_id, action, message, source }),
    checks: [{ check: code, status: 'failed', reason: message }],
    warnings: [{ code, message }],
  }));

/** What no output for a terminal may hold beside its own line breaks. */
export const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u;
