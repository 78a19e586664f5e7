import type { Value } from '../../../src/protocol/aip1/encoding/numbers.js';
import type { ConformanceCase, CaseSetting } from '../../../src/app/conformance/run.js';
import { AGENT, KEYS, link, macked, passport, PRINCIPAL, signed, text, HMAC_KEY, type Bends } from './parts.js';
import { toHex } from '../../../src/protocol/hex.js';

const given: CaseSetting = { public_key: KEYS.agent };
const TIERS = ['tier_0', 'tier_1', 'tier_2'] as const;

function one(name: string, shows: string, bends: Bends, code: string | null, more: CaseSetting = {}): ConformanceCase {
  return { name, shows, documents: [text(signed(name, bends))], given: { ...given, ...more }, expect: { code } };
}

/** Standing, attestation, drift, delegation and trust: E400 to E404, E501, E300 to E303. */
export function standingCases(): ConformanceCase[] {
  return [...standing(), ...attestation(), ...drift(), ...delegation(), ...trust()];
}

function standing(): ConformanceCase[] {
  const revoked = (subject: string): CaseSetting => ({ standing: [{ subject, status: 'revoked' }] });
  const suspended = (subject: string, until: string): CaseSetting => ({
    standing: [{ subject, status: 'suspended', until }],
  });
  const later = '2099-12-31T23:59:59Z';
  return [
    ...TIERS.flatMap((tier) => [
      one(`standing-good-${tier}`, `In good standing at ${tier}.`, { verification_tier: tier }, null),
      one(`standing-revoked-${tier}`, `Revoked at ${tier}.`, { verification_tier: tier }, 'AIP-E400', revoked(AGENT)),
      one(
        `standing-suspended-${tier}`,
        `Suspended at ${tier}.`,
        { verification_tier: tier },
        'AIP-E401',
        suspended(AGENT, later),
      ),
      one(
        `standing-principal-${tier}`,
        `A revoked principal at ${tier}.`,
        { verification_tier: tier },
        'AIP-E402',
        revoked(PRINCIPAL),
      ),
      one(
        `standing-everyone-${tier}`,
        `Everyone stopped, at ${tier}.`,
        { verification_tier: tier },
        'AIP-E402',
        revoked('*'),
      ),
      one(`standing-stale-${tier}`, `A copy too old to tell, at ${tier}.`, { verification_tier: tier }, 'AIP-E501', {
        stale_ms: 5001,
      }),
    ]),
    one('standing-suspension-over', 'A suspension ends by itself.', {}, null, suspended(AGENT, '2026-02-14T11:59:59Z')),
    one('standing-other-agent', 'The standing of another agent.', {}, null, revoked(`${AGENT}-2`)),
    one('standing-fresh', 'A copy just fresh enough.', {}, null, { stale_ms: 5000 }),
    one('standing-suspended-principal', 'A suspended principal.', {}, 'AIP-E402', suspended(PRINCIPAL, later)),
    one(
      'standing-principal-denied',
      'Naming another principal does not help where the passport names one.',
      { 'principal.id': 'did:web:nice.com', 'principal.delegation_chain': [link('did:web:nice.com', AGENT)] },
      'AIP-E402',
      {
        passport: passport({ constraints: {} }),
        principal_key: KEYS.principal,
        ...revoked(PRINCIPAL),
      },
    ),
    ...['did:web:nice.com', AGENT].map((claimed, i) =>
      one(
        `standing-principal-left-${i + 1}`,
        'Nor does it where only a key is known: the domain that an agent is named in answers for it.',
        { 'principal.id': claimed, 'principal.delegation_chain': [] },
        'AIP-E402',
        revoked(PRINCIPAL),
      ),
    ),
    one(
      'standing-after-boundaries',
      'What is outside its boundaries is reported first.',
      { 'intent.action': 'delete_database' },
      'AIP-E200',
      revoked(AGENT),
    ),
    {
      ...one('standing-hmac', 'An HMAC does not get past the kill switch.', {}, 'AIP-E400', revoked(AGENT)),
      documents: [text(macked('standing-hmac'))],
      given: { hmac_key: toHex(HMAC_KEY), ...revoked(AGENT) },
    },
  ];
}

function attestation(): ConformanceCase[] {
  const framework = 'did:web:langchain.com';
  const claim = (more: Record<string, Value> = {}): Bends => ({
    'agent.attestation.method': 'framework_registry',
    'agent.attestation.framework_id': framework,
    'agent.attestation.build_hash': 'sha256:b1',
    'agent.attestation.system_prompt_hash': 'sha256:p1',
    ...Object.fromEntries(Object.entries(more).map(([name, value]) => [`agent.attestation.${name}`, value])),
  });
  const registry = { frameworks: [framework], builds: { [framework]: 'sha256:b1' }, prompts: { [AGENT]: 'sha256:p1' } };
  const at = (name: string, shows: string, bends: Bends, code: string | null, more: CaseSetting = { registry }) =>
    one(`attestation-${name}`, shows, bends, code, more);
  return [
    at('registered', 'All of it is registered.', claim(), null),
    at(
      'no-registry',
      'A verifier without a registry asks nothing.',
      claim({ framework_id: 'did:web:unknown.example' }),
      null,
      {},
    ),
    at(
      'self-reported',
      'An agent that claims no framework.',
      { 'agent.attestation.system_prompt_hash': 'sha256:p1' },
      null,
    ),
    at(
      'tier-0',
      'Tier 0 does not ask.',
      { ...claim({ framework_id: 'did:web:unknown.example' }), verification_tier: 'tier_0' },
      null,
    ),
    at(
      'tier-0-raised',
      'But a verifier may raise the tier.',
      { ...claim({ framework_id: 'did:web:unknown.example' }), verification_tier: 'tier_0' },
      'AIP-E302',
      { registry, min_tier: 1 },
    ),
    at(
      'tier-2-not-lowered',
      'And never lower it.',
      { ...claim({ framework_id: 'did:web:unknown.example' }), verification_tier: 'tier_2' },
      'AIP-E302',
      { registry, min_tier: 0 },
    ),
    at('build', 'Another build.', claim({ build_hash: 'sha256:b2' }), 'AIP-E300'),
    at('build-missing', 'Saying nothing of the build is not a pass.', claim({ build_hash: null }), 'AIP-E300'),
    at('prompt', 'Another prompt.', claim({ system_prompt_hash: 'sha256:p2' }), 'AIP-E301'),
    at('prompt-missing', 'Nor saying nothing of the prompt.', claim({ system_prompt_hash: null }), 'AIP-E301'),
    at(
      'framework',
      'A framework that nobody registered.',
      claim({ framework_id: 'did:web:unknown.example' }),
      'AIP-E302',
    ),
    at(
      'framework-missing',
      'Nor claiming a registry and naming no framework.',
      claim({ framework_id: null }),
      'AIP-E302',
    ),
    at(
      'before-principal',
      'Reported before the standing of the principal, as the reference would.',
      claim({ build_hash: 'sha256:b2' }),
      'AIP-E300',
      {
        registry,
        standing: [{ subject: PRINCIPAL, status: 'revoked' }],
      },
    ),
  ];
}

function drift(): ConformanceCase[] {
  const at = (
    name: string,
    shows: string,
    action: string,
    allowed: readonly string[],
    code: string | null,
  ): ConformanceCase => ({
    name: `drift-${name}`,
    shows,
    drift: { action, allowed },
    given: {},
    expect: { code },
  });
  return [
    at('exact', 'An allowed action has not drifted.', 'launch_rocket', ['launch_rocket'], null),
    at('same-kind', 'Nor has one of the same kind.', 'fetch_calendar', ['read_invoice'], null),
    at('anything', 'Nor any, where all are allowed.', 'launch_rocket', [], null),
    at('other-kind', 'One of another kind has.', 'delete_records', ['read_invoice'], 'AIP-E303'),
    at('unknown-kind', 'So has one of no known kind.', 'launch_rocket', ['read_invoice'], 'AIP-E303'),
    at('money', 'Paying is not reading.', 'transfer_funds', ['read', 'list', 'search'], 'AIP-E303'),
    at('longest-word', 'The longest word tells the kind.', 'send_invoice_copy', ['send_email'], 'AIP-E303'),
    at('upper-case', 'In either case.', 'DELETE_ALL', ['read'], 'AIP-E303'),
  ];
}

function delegation(): ConformanceCase[] {
  const manager = 'did:web:acme.com:agents:manager';
  const at = (name: string, shows: string, chain: readonly Value[], code: string | null, more: Bends = {}) =>
    one(
      `delegation-${name}`,
      shows,
      { verification_tier: 'tier_2', 'principal.delegation_chain': chain, ...more },
      code,
    );
  return [
    at('direct', 'Granted by the principal.', [link(PRINCIPAL, AGENT)], null),
    at('through', 'Granted through another agent.', [link(PRINCIPAL, manager), link(manager, AGENT)], null),
    at('self', 'An agent may be its own principal.', [], null, { 'principal.id': AGENT }),
    one('delegation-tier-1', 'Tier 1 does not ask.', { 'principal.delegation_chain': [] }, null),
    at(
      'last-instant',
      'The instant of expiry still counts.',
      [link(PRINCIPAL, AGENT, { expires_at: '2026-02-14T12:00:00Z' })],
      null,
    ),
    at('empty', 'No chain at all.', [], 'AIP-E403'),
    at('other-start', 'Starts elsewhere.', [link(manager, AGENT)], 'AIP-E403'),
    at('other-end', 'Ends elsewhere.', [link(PRINCIPAL, manager)], 'AIP-E403'),
    at(
      'broken',
      'Broken in the middle.',
      [link(PRINCIPAL, manager), link('did:web:acme.com:agents:other', AGENT)],
      'AIP-E403',
    ),
    at('expired', 'A link is over.', [link(PRINCIPAL, AGENT, { expires_at: '2026-02-14T11:59:59Z' })], 'AIP-E403'),
    at(
      'expired-middle',
      'A link in the middle is over.',
      [link(PRINCIPAL, manager, { expires_at: '2026-02-14T11:59:59Z' }), link(manager, AGENT)],
      'AIP-E403',
    ),
    at('future', 'A link has not begun.', [link(PRINCIPAL, AGENT, { granted_at: '2026-03-01T00:00:00Z' })], 'AIP-E403'),
    one(
      'delegation-other-principal',
      'Another principal than the passport names.',
      {
        verification_tier: 'tier_2',
        'principal.id': 'did:web:nice.com',
        'principal.delegation_chain': [link('did:web:nice.com', AGENT)],
      },
      'AIP-E403',
      {
        passport: passport({ constraints: {} }),
        principal_key: KEYS.principal,
      },
    ),
  ];
}

function trust(): ConformanceCase[] {
  const at = (
    name: string,
    shows: string,
    history: CaseSetting['history'],
    code: string | null,
    tier: (typeof TIERS)[number] = 'tier_2',
    min_trust = 0.7,
  ) =>
    one(`trust-${name}`, shows, { verification_tier: tier }, code, {
      min_trust,
      ...(history === undefined ? {} : { history }),
    });
  return [
    at('high', 'A long good history.', { total: 100, successful: 100, violations: 0 }, null),
    at(
      'at-minimum',
      'Exactly the minimum: 0.7.',
      { total: 100, successful: 70, violations: 0, revocations: 1, attestation_changes: 4 },
      null,
    ),
    at('first-contact', 'First contact passes where every new agent does.', undefined, null, 'tier_2', 0.5),
    at('stranger', 'It does not where no new agent does, in any dialect.', undefined, 'AIP-E404'),
    at(
      'nothing-yet',
      'A history of nothing is first contact.',
      { total: 0, successful: 0, violations: 0 },
      null,
      'tier_2',
      0.5,
    ),
    at('tier-1', 'Tier 1 asks, too.', { total: 10, successful: 0, violations: 10 }, 'AIP-E404', 'tier_1'),
    at('tier-0', 'So does tier 0: the agent chooses its tier.', undefined, 'AIP-E404', 'tier_0'),
    at('violations', 'A history of violations.', { total: 10, successful: 5, violations: 5 }, 'AIP-E404'),
    at(
      'revocations',
      'A history of revocations.',
      { total: 10, successful: 7, violations: 1, revocations: 3 },
      'AIP-E404',
    ),
    at('failures', 'A history of failures.', { total: 10, successful: 2, violations: 0 }, 'AIP-E404'),
  ];
}
