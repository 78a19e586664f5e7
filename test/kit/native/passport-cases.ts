/** The passports of fixtures/: those that intents are judged by, and those that are refused. */
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { agent, page, PRINCIPAL, publicKeyText, SUPPORT, withSignature, type Signer } from './parts.js';
import type { PassportVector } from './vector.js';

type Changes = Record<string, unknown>;

/** A passport of `name`, with members changed before its principal signs it; undefined takes one out. */
export function passport(name: string, changes: Changes = {}, signer: Signer = 'principal'): JsonObject {
  const id = agent(name);
  const document: Changes = {
    version: 1,
    agent_id: id,
    agent_name: name,
    domain: 'acme.com',
    principal: PRINCIPAL,
    key_id: `${id}#key-1`,
    public_key: publicKeyText('agent'),
    actions: ['send_email', 'issue_refund'],
    denied_actions: [],
    constraints: {},
    metadata: {},
    issued_at: '2026-02-01T00:00:00Z',
    expires_at: null,
    previous_keys: [],
    issuer_key_id: `${PRINCIPAL}#key-1`,
    ...changes,
  };
  for (const [member, value] of Object.entries(document)) if (value === undefined) delete document[member];
  return withSignature(document, 'issuer_signature', signer);
}

const GUIDE = {
  constraints: { monetary_limit: 100, currency: 'USD', allowed_domains: ['acme.com'], rate_limit: '10/hour' },
};
const support = (changes: Changes = {}, signer?: Signer) =>
  passport('support-agent-v1', { ...GUIDE, ...changes }, signer);

const SHIPMENT = {
  type: 'object',
  required: ['order_id', 'boxes'],
  properties: { order_id: { type: 'string' }, boxes: { type: 'integer', minimum: 1, maximum: 20 } },
  additionalProperties: false,
};

/** Passports that hold. */
function wholePassports(): Record<string, JsonObject> {
  const rotated = agent('rotated');
  const minimal = { denied_actions: undefined, metadata: undefined, expires_at: undefined, previous_keys: undefined };
  return {
    'passport-support-agent.json': support(),
    'passport-operator.json': passport('operator', {
      actions: ['place_order', 'cancel_order', 'scale_service', 'publish', 'pay', 'purge_cache', 'constructor'].concat({
        name: 'ship',
        params: SHIPMENT,
      } as never),
      denied_actions: ['purge_cache', 'drop_database'],
      constraints: {
        monetary_limit: 200,
        daily_limit: '250.00',
        currency: 'USD',
        rate_limit: { publish: '1/hour' },
        max_orders_per_hour: 2,
        allowed_symbols: ['ACME', 'GLOBEX'],
        allowed_regions: ['eu-west-1', 'us-east-1'],
        denied_tags: ['production'],
        max_instances: { value: 10, param: 'desired_count' },
        min_replicas: 2,
        'x-reviewed-by': 'ops',
      },
    }),
    'passport-ticketed.json': passport('ticketed', { actions: ['restart'], constraints: { require_ticket: true } }),
    'passport-office-hours.json': passport('clerk', {
      actions: ['file_report'],
      constraints: {
        time_window: { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '09:00', to: '17:00', tz: 'UTC' },
        geo_restriction: ['US', 'CA'],
      },
    }),
    'passport-approval-above-50.json': passport('buyer', {
      actions: ['buy'],
      constraints: { currency: 'USD', require_approval: { above: 50 } },
    }),
    'passport-rotated-twice.json': passport('rotated', {
      key_id: `${rotated}#key-3`,
      public_key: publicKeyText('agent key 3'),
      issued_at: '2026-02-18T12:00:00Z',
      previous_keys: [
        { key_id: `${rotated}#key-2`, public_key: publicKeyText('agent key 2'), valid_until: '2026-02-18T15:00:00Z' },
        { key_id: `${rotated}#key-1`, public_key: publicKeyText('agent'), valid_until: '2026-02-18T14:00:00Z' },
      ],
    }),
    'passport-without-optional-members.json': passport('minimal', minimal),
    'passport-expires-in-an-hour.json': support({ expires_at: '2026-02-18T15:23:45Z' }),
    'passport-unusable-schema.json': passport('misspelt', {
      actions: [{ name: 'ship', params: { type: 'object', maximun: 3 } }],
    }),
  };
}

/** Passports that are refused, and what a part of the sentence says. */
function refusedPassports(): Record<string, readonly [JsonObject | string, 'AIP-E103' | 'AIP-E104' | null, string]> {
  const edited = (changes: Changes): JsonObject => ({ ...support(), ...changes }) as JsonObject;
  const twoKeys = {
    key_id: `${SUPPORT}#key-1`,
    public_key: publicKeyText('agent'),
    valid_until: '2027-01-01T00:00:00Z',
  };
  const text = page(support());
  return {
    'passport-edited-limit.json': [
      edited({ constraints: { ...GUIDE.constraints, monetary_limit: 1000000 } }),
      'AIP-E103',
      'it was edited',
    ],
    'passport-edited-actions.json': [
      edited({ actions: ['send_email', 'issue_refund', 'delete_customer'] }),
      'AIP-E103',
      'it was edited',
    ],
    'passport-edited-key.json': [edited({ public_key: publicKeyText('stranger') }), 'AIP-E103', 'it was edited'],
    'passport-signed-by-its-agent.json': [support({}, 'agent'), 'AIP-E103', 'another key signed it'],
    'passport-signed-by-a-stranger.json': [support({}, 'stranger'), 'AIP-E103', 'another key signed it'],
    'passport-unpinned-principal.json': [
      passport(
        'support-agent-v1',
        {
          ...GUIDE,
          agent_id: 'did:web:globex.com:agents:support-agent-v1',
          domain: 'globex.com',
          principal: 'did:web:globex.com',
          key_id: 'did:web:globex.com:agents:support-agent-v1#key-1',
          issuer_key_id: 'did:web:globex.com#key-1',
        },
        'stranger',
      ),
      'AIP-E103',
      'is not pinned',
    ],
    'passport-principal-of-another-domain.json': [
      support({ principal: 'did:web:globex.com', issuer_key_id: 'did:web:globex.com#key-1' }),
      'AIP-E103',
      '"principal" is not',
    ],
    'passport-expired.json': [support({ expires_at: '2026-02-18T14:23:45Z' }), 'AIP-E104', 'expired'],
    'passport-wrong-version.json': [support({ version: 2 }), 'AIP-E103', '"version"'],
    'passport-version-as-text.json': [support({ version: '1' }), 'AIP-E103', '"version"'],
    'passport-unknown-member.json': [support({ admin: true }), 'AIP-E103', 'unknown member "admin"'],
    'passport-missing-constraints.json': [support({ constraints: undefined }), 'AIP-E103', 'lacks "constraints"'],
    'passport-unknown-constraint.json': [
      support({ constraints: { max_mischief: 'none' } }),
      'AIP-E103',
      'max_mischief',
    ],
    'passport-limit-as-word.json': [support({ constraints: { monetary_limit: 'lots' } }), 'AIP-E103', 'monetary_limit'],
    'passport-wildcard-action.json': [support({ actions: ['*'] }), 'AIP-E103', "an action's name"],
    'passport-action-declared-twice.json': [support({ actions: ['read', { name: 'read' }] }), 'AIP-E103', 'twice'],
    'passport-name-of-another-agent.json': [support({ agent_name: 'trader' }), 'AIP-E103', '"agent_name"'],
    'passport-domain-of-another-agent.json': [support({ domain: 'globex.com' }), 'AIP-E103', '"domain"'],
    'passport-key-of-another-agent.json': [support({ key_id: `${agent('trader')}#key-1` }), 'AIP-E103', '"key_id"'],
    'passport-key-of-low-order.json': [
      support({ public_key: `ed25519:01${'00'.repeat(31)}` }),
      'AIP-E103',
      'not an acceptable Ed25519',
    ],
    'passport-key-not-canonical.json': [
      support({ public_key: `ed25519:ee${'ff'.repeat(30)}7f` }),
      'AIP-E103',
      'not an acceptable Ed25519',
    ],
    'passport-key-cut-short.json': [
      support({ public_key: publicKeyText('agent').slice(0, -2) }),
      'AIP-E103',
      'not an acceptable Ed25519',
    ],
    'passport-two-keys-with-one-id.json': [support({ previous_keys: [twoKeys] }), 'AIP-E103', 'the same id'],
    'passport-nine-previous-keys.json': [
      support({
        previous_keys: Array.from({ length: 9 }, (_, i) => ({ ...twoKeys, key_id: `${SUPPORT}#key-${i + 2}` })),
      }),
      'AIP-E103',
      'more than 8',
    ],
    'passport-impossible-date.json': [support({ issued_at: '2026-02-30T00:00:00Z' }), 'AIP-E103', '"issued_at"'],
    'passport-local-time.json': [support({ issued_at: '2026-02-01T00:00:00+01:00' }), 'AIP-E103', '"issued_at"'],
    'passport-expires-before-it-is-issued.json': [
      support({ expires_at: '2026-01-01T00:00:00Z' }),
      'AIP-E103',
      '"expires_at" is not after',
    ],
    'passport-signature-upper-case.json': [
      edited({ issuer_signature: String(support().issuer_signature).toUpperCase() }),
      'AIP-E103',
      '"issuer_signature"',
    ],
    'passport-signature-missing.json': [edited({ issuer_signature: null }), 'AIP-E103', '"issuer_signature"'],
    'passport-in-a-list.json': [page([support()]), 'AIP-E103', 'is not an object'],
    'passport-cut-short.json': [text.slice(0, 400), null, 'not strict JSON'],
    'passport-empty.json': ['', null, 'not strict JSON'],
    'passport-member-given-twice.json': [text.replace('{', '{"version": 1,'), null, 'duplicate member'],
    'passport-byte-order-mark.json': [`\ufeff${text}`, null, 'byte order mark'],
    'passport-with-comments.json': [text.replace('{', '{ // limits raised by J.'), null, 'not strict JSON'],
  };
}

export function passportFiles(): Record<string, string> {
  const files: Record<string, string> = {};
  for (const [name, document] of Object.entries(wholePassports())) files[name] = page(document);
  for (const [name, [content]] of Object.entries(refusedPassports()))
    files[name] = typeof content === 'string' ? content : page(content);
  return files;
}

export function passportVectors(): PassportVector[] {
  const whole = Object.keys(wholePassports()).map((passport): PassportVector => {
    return { name: nameOf(passport), passport, expect: { exit: 0, code: null } };
  });
  const refused = Object.entries(refusedPassports()).map(([passport, [, code, says]]): PassportVector => {
    return { name: nameOf(passport), passport, expect: { exit: code === null ? 3 : 10, code, says } };
  });
  const later: PassportVector[] = [
    {
      name: 'a second before it expires',
      passport: 'passport-expires-in-an-hour.json',
      at: '2026-02-18T15:23:44Z',
      expect: { exit: 0, code: null },
    },
    {
      name: 'the second it expires',
      passport: 'passport-expires-in-an-hour.json',
      at: '2026-02-18T15:23:45Z',
      expect: { exit: 10, code: 'AIP-E104', says: 'expired' },
    },
  ];
  return [...whole, ...refused, ...later];
}

function nameOf(file: string): string {
  return file.replace(/^passport-|\.json$/g, '').replaceAll('-', ' ');
}

/** The passport that `passport-rotated-twice.json` took the place of. */
export function olderPassport(): JsonObject {
  return passport('rotated', { issued_at: '2026-02-18T11:59:59Z', public_key: publicKeyText('agent key 3') });
}
