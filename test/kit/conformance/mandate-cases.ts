import type { ConformanceCase, CaseSetting } from '../../../src/app/conformance/run.js';
import { bent, KEYS, mandate, NOW, passport, SEEDS, signed, text, type Bends, type MandateBends } from './parts.js';

const SELF_DECLARED = ['self_declared_boundaries', 'unbound_key'];

/** E405 to E408, and boundaries that the agent did not write. */
export function mandateCases(): ConformanceCase[] {
  const given: CaseSetting = { public_key: KEYS.agent, issuer_key: KEYS.issuer };
  const wide: Bends = { 'boundaries.monetary_limit.per_transaction': 1_000_000, 'boundaries.allowed_actions': [] };
  const at = (
    name: string,
    shows: string,
    mandateBends: MandateBends | null,
    code: string | null,
    bends: Bends = {},
    more: CaseSetting = {},
    warnings: readonly string[] = [],
  ): ConformanceCase => ({
    name: `mandate-${name}`,
    shows,
    documents: [text(signed(`mandate-${name}`, bends))],
    given: { ...given, ...(mandateBends === null ? {} : { mandate: text(mandate(mandateBends)) }), ...more },
    expect: code === null ? { code, warnings } : { code },
  });
  const changed = (bends: Bends): CaseSetting => ({ mandate: text(bent(mandate(), bends)) });
  const narrow = { 'monetary_limit.per_transaction': 100 };
  return [
    at('inside', 'Inside the mandate.', {}, null),
    at('never-ends', 'A mandate without an end.', { lifetimeMs: null }, null),
    at('none', 'Without a mandate only the agent says what it may do.', null, null, {}, {}, SELF_DECLARED),
    at('last-instant', 'The instant of expiry still counts.', { issuedAt: NOW - 1000, lifetimeMs: 1000 }, null),
    at('required-and-given', 'A required mandate that is given.', {}, null, {}, { require_mandate: true }),
    at(
      'with-passport',
      'A mandate and a passport hold together.',
      {},
      null,
      { 'intent.parameters.amount': 100 },
      { passport: passport(), principal_key: KEYS.principal },
    ),
    at(
      'pinned-issuer',
      'Without a key named for it, the pinned principal of the agent may issue mandates.',
      { by: SEEDS.principal },
      null,
      {},
      { issuer_key: undefined, principal_key: KEYS.principal },
    ),
    at('required', 'A required mandate that is not given.', null, 'AIP-E405', {}, { require_mandate: true }),
    at(
      'required-with-passport',
      'A passport is no mandate.',
      null,
      'AIP-E405',
      {},
      { require_mandate: true, passport: passport(), principal_key: KEYS.principal },
    ),
    at('widened-amount', 'A cage that the agent widened.', { boundaries: narrow }, 'AIP-E202', {
      ...wide,
      'intent.parameters.amount': 101,
    }),
    at('widened-action', 'Also its actions.', {}, 'AIP-E200', { ...wide, 'intent.action': 'delete_records' }),
    at('denied', 'A deny of the mandate.', { boundaries: { denied_actions: ['transfer_funds'] } }, 'AIP-E201', wide),
    at(
      'window',
      'The window of the mandate.',
      { boundaries: { time_window: { start: '2026-03-01T00:00:00Z', end: '2026-04-01T00:00:00Z' } } },
      'AIP-E203',
    ),
    at(
      'geo',
      'The countries of the mandate.',
      { boundaries: { geo_restriction: 'US' } },
      'AIP-E204',
      {},
      { geo: 'FR' },
    ),
    at('narrowed', 'The envelope may be narrower.', {}, 'AIP-E202', {
      'boundaries.monetary_limit.per_transaction': 10,
    }),
    at(
      'passport-narrower',
      'So may the passport.',
      {},
      'AIP-E202',
      { 'intent.parameters.amount': 101 },
      { passport: passport(), principal_key: KEYS.principal },
    ),
    at('forged', 'Signed by the agent itself.', { by: SEEDS.agent }, 'AIP-E406'),
    at(
      'edited',
      'Changed after it was signed.',
      {},
      'AIP-E406',
      {},
      changed({ 'boundaries.monetary_limit.per_transaction': 1_000_000 }),
    ),
    at('extended', 'Its end moved.', {}, 'AIP-E406', {}, changed({ expires_at: '2036-01-01T00:00:00Z' })),
    at(
      'unknown-issuer',
      'No key of its issuer is known.',
      {},
      'AIP-E406',
      {},
      {
        issuer_key: undefined,
      },
    ),
    at(
      'other-principal',
      'A pinned principal may not speak for the agents of others.',
      { issuer: 'did:web:other.com', by: SEEDS.principal },
      'AIP-E406',
      {},
      { issuer_key: undefined, principal_key: KEYS.principal },
    ),
    at('malformed', 'No JSON.', null, 'AIP-E406', {}, { mandate: '{' }),
    at('stranger', 'A member that is not signed by the reference.', {}, 'AIP-E406', {}, changed({ note: 'x' })),
    at('envelope', 'An envelope is no mandate.', null, 'AIP-E406', {}, { mandate: text(signed('mandate-envelope')) }),
    at('id', 'An id of another form.', {}, 'AIP-E406', {}, changed({ mandate_id: 'mandate:1' })),
    at('proof-cut', 'A proof value of 32 bytes.', {}, 'AIP-E406', {}, changed({ 'proof.proof_value': 'A'.repeat(43) })),
    at('expired', 'It is over.', { issuedAt: NOW - 1001, lifetimeMs: 1000 }, 'AIP-E407'),
    at('not-yet', 'It has not begun.', { issuedAt: NOW + 60_000 }, 'AIP-E407'),
    at('other-subject', 'It was granted to another agent.', { subject: 'did:web:acme.com:agents:other' }, 'AIP-E408'),
    at(
      'other-subject-case',
      'Also one that reads alike.',
      { subject: 'did:web:acme.com:agents:Procurement-bot' },
      'AIP-E408',
    ),
  ];
}
