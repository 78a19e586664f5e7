/**
 * What must be refused, worked out a second time: from the passport's text, the document's text and the clock, with none of the verifier's code. An
 * attack that the oracle finds nothing wrong with is no attack, and is not counted.
 */
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import { isApproved, type ApprovedIntent, type HeardWords } from './approvals/oracle.js';
import { limitKindOf, limitReads } from './honest.js';
import { allowedActions, exact, isFor, limitsOf, minorUnit, ONE, type Limit } from './limits.js';
import { outsideOf } from './oracle-clock.js';
import { mustNotGoTo } from './oracle-destinations.js';
import { schemaFaults } from './oracle-schema.js';
import { valuesIn, wordsIn, type Scene } from './scene.js';
import { isSignedUnder, jcs, SMALL_ORDER } from './signing.js';

/** All that is known when a document comes. */
export interface Evidence {
  /** As it was presented. */
  readonly passport: JsonObject;
  /** Key of the principal that is believed. */
  readonly principalKey: string;
  /** The serial below which a passport counts no longer, and the one that is known with it. */
  readonly known: JsonObject;
  readonly scene: Scene;
  /** What persons said. */
  readonly heard: HeardWords;
  /** ms since the epoch. */
  readonly now: number;
  readonly text: string;
  /** Documents that were accepted before, with the moments. */
  readonly before: readonly { readonly text: string; readonly at: number }[];
}

const WINDOW: Readonly<Record<string, number>> = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const MEMBERS = [
  'agent_id',
  'action',
  'params',
  'timestamp',
  'nonce',
  'signature',
  'target',
  'key_id',
  'approval_request',
];

/** Everything for which the document must be refused; empty when nothing is. */
export function faults(evidence: Evidence): string[] {
  const { text, passport, scene, now } = evidence;
  const document = strictly(text);
  if (document === null) return ['format'];
  const params = document['params'];
  const action = document['action'];
  if (!isObject(params ?? null) || typeof action !== 'string') return ['format'];
  return [
    ...presented(evidence),
    ...sender(evidence, document),
    ...clockAndNonce(evidence, document),
    ...actionFaults(passport, action, params as JsonObject),
    ...limitsOf(passport)
      .filter((limit) => isFor(limit, action))
      .filter((limit) => breaks(limit, { action, params: params as JsonObject, document, evidence }))
      .map(({ name }) => name),
    ...(scene.standing === 'active' ? [] : ['revocation']),
    ...(scene.score !== null && scene.score < 0.5 ? ['trust'] : []),
    ...(scene.hook ? ['hooks'] : []),
    ...(now < 0 ? ['timestamp'] : []),
  ];
}

/** One JSON object of known members, none of them twice, at most 64 KiB and 32 deep; null for anything else. */
function strictly(text: string): JsonObject | null {
  if (Buffer.byteLength(text) > 65_536 || depthOf(text) > 32) return null;
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return null;
  }
  if (!isObject(value) || colonsIn(text) !== membersIn(value)) return null;
  return Object.keys(value).every((name) => MEMBERS.includes(name)) ? value : null;
}

function outside(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"/gs, '""');
}

function depthOf(text: string): number {
  let [depth, most] = [0, 0];
  for (const character of outside(text)) {
    if (character === '{' || character === '[') most = Math.max(most, (depth += 1));
    if (character === '}' || character === ']') depth -= 1;
  }
  return most;
}

function colonsIn(text: string): number {
  return outside(text).split(':').length - 1;
}

function membersIn(value: Json): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inside = Object.values(value as JsonObject);
  return inside.reduce<number>((sum, each) => sum + membersIn(each), Array.isArray(value) ? 0 : inside.length);
}

/** The passport itself: who signed it, whether it is in force, and whether it was replaced. */
function presented({ passport, principalKey, known, scene, now }: Evidence): string[] {
  if (scene.presented === 'unknown') return ['passport'];
  const time = (name: string): number | null =>
    typeof passport[name] === 'string' ? Date.parse(passport[name]) : null;
  const [since, expires] = [time('issued_at'), time('expires_at')];
  const serial = (document: JsonObject): number => Number(document['serial'] ?? 0);
  const bad =
    !issuedBy(principalKey, passport) ||
    since === null ||
    since - now > 30_000 ||
    (expires !== null && expires <= now) ||
    serial(passport) < serial(known) ||
    (serial(passport) === serial(known) && jcs(passport) !== jcs(known)) ||
    SMALL_ORDER.has(String(passport['public_key']).replace(/^ed25519:/, '')) ||
    Object.keys(passport['constraints'] as JsonObject).includes('limit_of_another_version');
  return bad ? ['passport'] : [];
}

/** One passport comes with thousands of documents. */
const issued = new WeakMap<JsonObject, { readonly key: string; readonly holds: boolean }>();

function issuedBy(key: string, passport: JsonObject): boolean {
  let known = issued.get(passport);
  if (known?.key !== key)
    issued.set(passport, (known = { key, holds: isSignedUnder(key, passport, 'issuer_signature') }));
  return known.holds;
}

function sender({ passport }: Evidence, document: JsonObject): string[] {
  const named = document['key_id'];
  const right =
    document['agent_id'] === passport['agent_id'] &&
    (named === undefined || named === passport['key_id']) &&
    isSignedUnder(String(passport['public_key']), document, 'signature');
  return right ? [] : ['signature'];
}

function clockAndNonce({ now, before }: Evidence, document: JsonObject): string[] {
  const { nonce, timestamp } = document;
  const found: string[] = [];
  if (typeof nonce !== 'string' || !/^[0-9a-fA-F]{32,128}$/.test(nonce)) found.push('nonce');
  if (before.some(({ text }) => (JSON.parse(text) as JsonObject)['nonce'] === nonce)) found.push('nonce');
  const age = typeof timestamp === 'number' ? now - timestamp * 1000 : NaN;
  if (!(age <= 300_000 && age >= -30_000)) found.push('timestamp');
  return found;
}

function actionFaults(passport: JsonObject, action: string, params: JsonObject): string[] {
  const declared = allowedActions(passport).find(({ name }) => name === action);
  if (declared === undefined) return ['action'];
  return declared.schema !== null && schemaFaults(declared.schema, params) ? ['params'] : [];
}

interface Asked {
  readonly action: string;
  readonly params: JsonObject;
  readonly document: JsonObject;
  readonly evidence: Evidence;
}

function breaks(limit: Limit, asked: Asked): boolean {
  const { params, document, evidence, action } = asked;
  const { value } = limit;
  const read = valuesIn(params).filter(({ name }) => limitReads(limit, name));
  const scalars = read.flatMap((each) => valuesIn(each.value, each.name));
  switch (limitKindOf(limit)) {
    case 'money':
      return mostAsked(limit, params) > (exact(value) ?? 0n);
    case 'daily': {
      const day = evidence.before.filter(({ at }) => at > evidence.now - WINDOW['day']!);
      const spent = day.reduce(
        (sum, { text }) => sum + mostAsked(limit, (JSON.parse(text) as JsonObject)['params'] as JsonObject),
        0n,
      );
      const most = mostAsked(limit, params);
      return most > 0n && spent + most > (exact(value) ?? 0n);
    }
    case 'currency':
      return valuesIn(params).some(
        ({ name, value: own }) => wordsIn(name).join(' ') === 'currency' && own !== limit.currency && own !== null,
      );
    case 'domains':
      return mustNotGoTo(
        params,
        document['target'],
        value as readonly Json[],
        limit.params === null ? null : (name) => limitReads(limit, name),
      );
    case 'rate':
      return rates(limit).some(
        ({ of, most, window }) =>
          (of === null || of === action) && counted(evidence, window, (each) => of === null || each === of) >= most,
      );
    case 'count': {
      const [, thing = '', unit = ''] = /^max_(.+)_per_(\w+)$/.exec(limit.name) ?? [];
      const [word] = wordsIn(thing).slice(-1);
      const holds = (each: string): boolean => wordsIn(each).includes(word ?? '') && wordsIn(each)[0] !== 'cancel';
      return holds(action) && counted(evidence, WINDOW[unit]!, holds) >= Number(value);
    }
    case 'allowed':
      return scalars.some((each) => !(value as readonly Json[]).includes(each.value));
    case 'denied': {
      const fold = (each: Json): string =>
        String(each)
          .normalize('NFKC')
          .replace(/\p{Cf}/gu, '')
          .trim()
          .toLowerCase();
      return scalars.some((each) => (value as readonly Json[]).map(fold).includes(fold(each.value)));
    }
    case 'max':
      return scalars.some((each) => typeof each.value === 'number' && each.value > Number(value));
    case 'min':
      return scalars.some((each) => typeof each.value === 'number' && each.value < Number(value));
    case 'require':
      return demands(limit, asked) && !scalars.some((each) => says(each.value));
    case 'approval':
      return needsPerson(limit, asked) && !isApproved(value, approvedIntent(asked));
    case 'window':
      return isObject(value) && outsideOf(value, evidence.now);
    case 'geo':
      return !(value as readonly Json[]).includes(evidence.scene.geo);
  }
}

/** The largest amount that the params show under what the limit reads, in 10^-12: one by one, and lists by their sum. */
function mostAsked(limit: Limit, params: JsonObject): bigint {
  const size = (amount: bigint): bigint => (amount < 0n ? -amount : amount);
  let most = 0n;
  const raise = (amount: bigint): void => {
    if (amount > most) most = amount;
  };
  const asked = (name: string, value: Json): bigint => {
    const amount = exact(value);
    if (amount === null) return 0n;
    const minor = wordsIn(name).some((word) => ['minor', 'cent', 'pence'].includes(word));
    return size(minor ? (amount / ONE) * minorUnit(limit.currency) : amount);
  };
  const reads = (name: string): boolean => limitReads(limit, name);
  const walk = (value: Json, name: string): void => {
    if (Array.isArray(value)) {
      const each = value as readonly Json[];
      if (reads(name)) raise(each.reduce<bigint>((sum, one) => sum + asked(name, one), 0n));
      const names = new Set(each.flatMap((one) => (isObject(one) ? Object.keys(one) : [])));
      for (const inner of names)
        if (reads(inner))
          raise(each.reduce<bigint>((sum, one) => sum + (isObject(one) ? asked(inner, one[inner] ?? null) : 0n), 0n));
      for (const one of each) walk(one, name);
    } else if (isObject(value)) {
      for (const [inner, one] of Object.entries(value)) walk(one, inner);
      const part = (names: readonly string[]): bigint =>
        asked('', value[names.find((each) => Object.hasOwn(value, each)) ?? ''] ?? null);
      if (limit.params === null) {
        raise((part(['price', 'cost']) * part(['quantity', 'qty', 'units'])) / ONE);
        if (reads(name)) raise(part(['units']) + part(['nanos']) / 10n ** 9n);
      }
    } else if (reads(name)) raise(asked(name, value));
  };
  walk(params, '');
  return most;
}

function rates({ value }: Limit): { of: string | null; most: number; window: number }[] {
  const one = (of: string | null, text: Json): { of: string | null; most: number; window: number }[] => {
    const [, most, unit] = /^(\d+)\/(\w+)$/.exec(String(text)) ?? [];
    return most === undefined ? [] : [{ of, most: Number(most), window: WINDOW[unit!]! }];
  };
  return isObject(value) ? Object.entries(value).flatMap(([of, text]) => one(of, text)) : one(null, value);
}

function counted({ before, now }: Evidence, window: number, counts: (action: string) => boolean): number {
  return before.filter(
    ({ at, text }) => at > now - window && counts(String((JSON.parse(text) as JsonObject)['action'])),
  ).length;
}

/** Whether `require_<name>` is for this action: where it says so, or the schema has such a param, or there is none and something is done. */
function demands(limit: Limit, { action, evidence }: Asked): boolean {
  if (limit.actions !== null) return true;
  const schema = allowedActions(evidence.passport).find(({ name }) => name === action)?.schema ?? null;
  if (schema === null) return !['cancel', 'list', 'get', 'read'].includes(wordsIn(action)[0] ?? '');
  const properties = schema['properties'];
  return isObject(properties ?? null) && Object.keys(properties as JsonObject).some((name) => limitReads(limit, name));
}

function says(value: Json): boolean {
  if (value === null || value === false) return false;
  return typeof value !== 'string' || value.replace(/[\s\p{Cf}]/gu, '') !== '';
}

function approvedIntent({ document, evidence }: Asked): ApprovedIntent {
  const { passport, principalKey, heard, now } = evidence;
  const before = evidence.before.map(({ text }) => JSON.parse(text) as JsonObject);
  return { document, passport, principalKey, heard, before, now };
}

function needsPerson({ value }: Limit, { action, params, document }: Asked): boolean {
  if (value === true) return true;
  if (!isObject(value)) return false;
  const { actions, environments, above } = value;
  if (actions === undefined && environments === undefined && above === undefined) return true;
  if (Array.isArray(actions) && (actions as readonly Json[]).includes(action)) return true;
  if (Array.isArray(environments)) {
    const all = (environments as readonly Json[]).map((each) => String(each).toLowerCase());
    const own = valuesIn(params).filter(({ name }) =>
      ['environment', 'env', 'stage'].includes(wordsIn(name).at(-1) ?? ''),
    );
    const target = typeof document['target'] === 'string' ? document['target'].split(/[/:.]/) : [];
    const shown = [...own.map(({ value: each }) => each), ...target];
    if (shown.some((each) => typeof each === 'string' && all.includes(each.normalize('NFKC').trim().toLowerCase())))
      return true;
  }
  const limit =
    above === undefined ? null : exact(isObject(above) ? (above['limit'] ?? above['value'] ?? null) : above);
  const money: Limit = { name: 'monetary_limit', value: null, params: null, actions: null, currency: 'USD' };
  return limit !== null && mostAsked(money, params) > limit;
}
