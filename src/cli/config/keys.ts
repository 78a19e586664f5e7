/** Every config key, once: `config list`, `help config`, the environment's names and the readers are all made from this table. */
import { DIALECT_NAMES } from '../../protocol/dialects.js';
import { isDomain, parsePrincipalId } from '../../protocol/identity/did.js';
import {
  choice,
  choices,
  duration,
  isAlertUrl,
  isApiKeyName,
  isKeyId,
  isPath,
  isWebUrl,
  whyNoWebUrl,
  number,
  orNull,
  patterns,
  pins,
  publicKey,
  regions,
  text,
  texts,
  whole,
  yesNo,
} from './kinds.js';
import type { Kind } from './kinds.js';
import { nearest } from '../../protocol/naming/nearest.js';
import type { KeyPlace } from '../../app/ports/state.js';
import { parseKeyAddress, type KeyAddressText } from '../../protocol/identity/key-address.js';
import { DEFAULT_KEY_STORE, KEY_STORE_NAMES } from '../../workspace/key-stores.js';

export interface KeySpec<T> {
  readonly kind: Kind<T>;
  /** As a file would say it. */
  readonly fallback: unknown;
  readonly meaning: string;
  /** Who has the value can act with it: `config list` shows only that it is set. */
  readonly secret?: boolean;
  /** True when `value` protects less than `other`: of several files that say something, the stricter counts for `verify.*` and `revocation.*`. */
  loosens?(value: T, other: T): boolean;
}

type Loosens<T> = (value: T, other: T) => boolean;

function key<T>(kind: Kind<T>, fallback: unknown, meaning: string, loosens?: Loosens<T>): KeySpec<T> {
  return loosens === undefined ? { kind, fallback, meaning } : { kind, fallback, meaning, loosens };
}
const more: Loosens<number> = (value, other) => value > other;
const less: Loosens<number> = (value, other) => value < other;
const change: Loosens<unknown> = (value, other) => JSON.stringify(value) !== JSON.stringify(other);
/** Earlier in the list than the other. */
const towards =
  <T>(...looseFirst: readonly T[]): Loosens<T> =>
  (value, other) =>
    looseFirst.indexOf(value) < looseFirst.indexOf(other);
const RATE = number(0, 1);
/** No program: a config file may come with a checkout, and what it names would run. */
const keyPlace: Kind<KeyPlace> = {
  expects: `${KEY_STORE_NAMES.join(' | ')} | ssh-agent:, hashivault:// or awskms:/// and a key`,
  read: (value) => {
    const store = KEY_STORE_NAMES.find((name) => name === value);
    if (store !== undefined || typeof value !== 'string') return store;
    const address = parseKeyAddress(value);
    return address === null || address.kind === 'cmd' ? undefined : (value as KeyAddressText);
  },
  fromText: (text) => text,
};

export const KEYS = {
  key_store: key(keyPlace, DEFAULT_KEY_STORE, 'where new private keys go'),
  domain: key(text('a DNS name', isDomain), null, 'domain of new passports'),
  principal: key(
    text('did:web:<domain>', (did) => parsePrincipalId(did) !== null),
    null,
    'whose key signs what logs prune leaves; that of domain when unset',
  ),
  'verify.max_age': key(duration, '300s', 'how old an intent may be', more),
  'verify.max_skew': key(duration, '30s', 'how far ahead an intent may be dated', more),
  'verify.dialects': key(
    choices(...DIALECT_NAMES),
    [...DIALECT_NAMES],
    'which kinds of documents are accepted',
    (value, other) => value.some((name) => !other.includes(name)),
  ),
  'verify.min_trust': key(
    orNull(RATE),
    null,
    'least trust score that passes; unset: not checked',
    (value, other) => other !== null && (value === null || value < other),
  ),
  'verify.unmeasured': key(
    choice('warn', 'deny'),
    'warn',
    'params without a schema in which a limit finds nothing to measure: warn, or refuse',
    towards('warn', 'deny'),
  ),
  'log.params': key(
    choice('full', 'masked', 'none'),
    'masked',
    "what the log keeps of an intent's params",
    towards('full', 'masked', 'none'),
  ),
  'log.retention': key(
    orNull(duration),
    null,
    'entries older than this are let go by themselves, at most a tenth of the log at a time',
  ),
  'log.outcome_ttl': key(
    duration,
    '1h',
    'an accepted intent without an outcome for longer counts as unknown in aip health',
    more,
  ),
  'revocation.max_age': key(duration, '30s', 'how old the copy of the revocations may be', more),
  'revocation.on_stale': key(
    choice('last-known', 'deny'),
    'last-known',
    'when it is older: judge by it and say so, or refuse',
    towards('last-known', 'deny'),
  ),
  'state.url': {
    ...key(
      text('postgres://user@host:port/database', (url) => /^postgres(?:ql)?:\/\//.test(url)),
      null,
      'database in which verifiers share nonces, rates and spending; unset: this machine has its own',
    ),
    secret: true,
  },
  'mesh.url': key(text('an http(s) URL', isWebUrl, whyNoWebUrl), null, 'the mesh this machine belongs to'),
  'mesh.public_key': key(publicKey, null, 'the key the mesh signs its log with'),
  'mesh.key_file': key(text('a path', isPath), null, 'file with the API key of this machine, mode 0600'),
  'mesh.ca': key(
    text('a path', isPath),
    null,
    'file with the certificate authorities of the mesh, PEM; unset: those of Node',
  ),
  'mesh.insecure_http': key(
    orNull(yesNo),
    null,
    'whether the API key may go to another machine over plain http; mesh join --insecure-http writes it',
  ),
  'mesh.key_id': key(
    text('a name such as aipm_verifier_0123456789ab', isApiKeyName),
    null,
    'name of the API key of this machine, whose secret the key store holds',
  ),
  'mesh.operator_key': key(
    text('did:web:<domain>#key-<n>', isKeyId),
    null,
    'key held here that signs the commands given to the mesh',
  ),
  'mesh.regions': key(regions, [], 'endpoints by region'),
  'mesh.replication_mode': key(choice('async', 'sync'), 'async', 'whether a revocation waits for all regions'),
  'mesh.max_propagation_time_ms': key(whole(1, 600_000), 500, 'how long it may take to reach all'),
  'trust.model': key(choice('guide', 'aip-1'), 'guide', 'how trust scores are computed', change),
  'trust.initial_score': key(RATE, 0.5, 'score of a new agent', more),
  'trust.success_increment': key(RATE, 0.01, 'gained by an accepted intent', more),
  'trust.failure_decrement': key(RATE, 0.05, 'lost by a refusal the agent answers for', less),
  'trust.time_decay_rate': key(RATE, 0.001, 'lost without activity', less),
  'trust.min_verifications_for_trust': key(
    whole(0, 1_000_000),
    10,
    'verifications before the score means anything',
    less,
  ),
  'trust.suspicious_patterns': key(
    patterns,
    [
      { type: 'rapid_failures', threshold: 5, window_seconds: 60 },
      { type: 'unusual_actions', threshold: 3, window_seconds: 300 },
    ],
    'what raises a warning',
    change,
  ),
  'monitor.auto_revoke': key(yesNo, false, 'whether the monitor may revoke by itself', change),
  'monitor.max_revocations_per_hour': key(
    whole(0, 1000),
    3,
    'how many the monitor may revoke without a person',
    change,
  ),
  'monitor.min_trust': key(RATE, 0.7, 'the monitor alerts when trust is under it', less),
  'monitor.revoke_under': key(RATE, 0.5, 'trust under which it alerts as critical, and revokes if it may', change),
  'monitor.max_failure_rate': key(RATE, 0.1, 'the monitor alerts when more is refused', more),
  'monitor.window': key(duration, '24h', 'time over which the monitor counts refusals', change),
  'monitor.slack_url': {
    ...key(
      text('an https URL', isAlertUrl, whyNoWebUrl),
      null,
      "Slack's incoming webhook for alerts; who has the URL can post there",
    ),
    secret: true,
  },
  'monitor.pagerduty_url': key(
    text('an https URL', isAlertUrl, whyNoWebUrl),
    'https://events.pagerduty.com/v2/enqueue',
    'where PagerDuty takes events, once AIP_PAGERDUTY_KEY is set',
  ),
  'monitor.webhook_url': key(text('an https URL', isAlertUrl, whyNoWebUrl), null, 'gets every alert as signed JSON'),
  'hook.passport': key(
    text('an agent id, a name, or a path', (agent) => agent.length <= 2048),
    null,
    'whose passport `aip hook` decides by',
  ),
  hooks: key(texts, [], 'modules that take part in verification; paths from the config file'),
  principals: key(pins, {}, 'principals pinned by config'),
} as const satisfies Record<string, KeySpec<unknown>>;

export type KeyName = keyof typeof KEYS;
export type ConfigValues = { readonly [K in KeyName]: (typeof KEYS)[K] extends KeySpec<infer T> ? T : never };

export const KEY_NAMES = Object.keys(KEYS) as KeyName[];

/** `verify.max_age` is set by AIP_VERIFY_MAX_AGE. */
export function variableOf(name: KeyName): string {
  return `AIP_${name.replace('.', '_').toUpperCase()}`;
}

/** Variables that mean something and are not config keys. */
export const OTHER_VARIABLES: Readonly<Record<string, string>> = {
  AIP_HOME: 'folder for config, keys and state (--home)',
  AIP_TRUST_CONFIG:
    'sha256:<digest> of the project config that counts for this run, as aip config trust --print prints it',
  AIP_KEY_PASSPHRASE: 'passphrase of key files',
  AIP_SECRETS_DIR: 'folder of mounted secrets, whose modes a container sets, beside /run/secrets',
  AIP_MESH_STORE: 'PostgreSQL that `aip mesh serve` keeps the log in, before its data folder (--store)',
  AIP_MESH_KEY: 'API key of this machine, aipm_..., before mesh.key_file and mesh.key_id',
  AIP_PAGERDUTY_KEY: "integration key of PagerDuty's Events API v2, for `aip monitor`",
  AIP_WEBHOOK_SECRET:
    'secret that signs what monitor.webhook_url gets: whsec_<base64>, or text of 24 characters or more',
  AGENT_PRIVATE_KEY: "the agent's key, for the key store env",
  AIP_INTENT_HASH: 'set by `aip exec` for the command it runs: the accepted intent',
  AIP_AGENT_ID: 'set by `aip exec` for the command it runs: whose intent it was',
  AIP_INTENT_FILE: 'set by `aip exec` for the command it runs: a file with the verified intent',
};

/** Variables that look like ours and mean nothing. A misspelt one is worse than a misspelt key: nothing would refuse it. */
export function unknownVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = [...KEY_NAMES.map(variableOf), ...Object.keys(OTHER_VARIABLES)];
  return Object.keys(env)
    .filter((name) => name.startsWith('AIP_') && !name.startsWith('AIP_PARAM_') && !known.includes(name))
    .map((name) => {
      const guess = nearest(name, known);
      return `${name} means nothing to aip${guess === null ? '' : `; did you mean ${guess}?`}`;
    });
}

export function isKeyName(name: string): name is KeyName {
  return Object.hasOwn(KEYS, name);
}
