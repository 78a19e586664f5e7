/** An intent that the passport allows, for each action: what attacks are made from, with one thing changed. */
import type { Json, JsonObject } from '../../protocol/json/values.js';
import { decimal, exact, isFor, minorUnit, propertiesOf, requiredOf, type ActionView, type Limit } from './limits.js';
import { endsIn, wordsIn } from './scene.js';

const MONEY = new Set(
  'amount total subtotal price cost sum value payment charge fee refund budget spend credit debit deposit payout salary tip'.split(
    ' ',
  ),
);
const NO_MONEY = new Set(
  'id key code number no name type status reason method count item page row year month day date time percent rate ratio level center centre account hash version last4'.split(
    ' ',
  ),
);
const DESTINATION = new Set(
  'to cc bcc recipient email mail url uri href endpoint host hostname domain website webhook server'.split(' '),
);

/** True for a name under which money is read, where no params are named. */
export function isMoneyName(name: string): boolean {
  const words = wordsIn(name);
  const last = words.at(-1) ?? '';
  return words.some((word) => MONEY.has(word)) && !NO_MONEY.has(last) && !/^\d+$/.test(last);
}

/** True for a name that says a destination by itself. */
export function isDestinationName(name: string): boolean {
  const words = wordsIn(name);
  return words.length > 0 && (DESTINATION.has(words.at(-1)!) || DESTINATION.has(words.join('')));
}

/** The domains of `allowed_domains`; of a pattern for subdomains one of them. */
export function domainsOf({ value }: Limit): string[] {
  return (Array.isArray(value) ? (value as readonly Json[]) : []).map((each) => String(each).replace(/^\*\./, 'www.'));
}

/** What the name of a list or bound is of: `allowed_symbols` is of `symbols`. */
export function thingLimited({ name }: Pick<Limit, 'name'>): string {
  return name.replace(/^(?:allowed|denied|max|min|require)_/, '');
}

/** What a limit does, by its name. */
export type LimitKind =
  | 'money'
  | 'daily'
  | 'currency'
  | 'domains'
  | 'rate'
  | 'count'
  | 'allowed'
  | 'denied'
  | 'max'
  | 'min'
  | 'require'
  | 'approval'
  | 'window'
  | 'geo';

const CODES: Readonly<Record<LimitKind, string>> = {
  ...{ money: 'AIP-E202', currency: 'AIP-E202', daily: 'AIP-E212', domains: 'AIP-E203', rate: 'AIP-E205' },
  ...{ count: 'AIP-E205', allowed: 'AIP-E206', denied: 'AIP-E206', max: 'AIP-E207', min: 'AIP-E207' },
  ...{ require: 'AIP-E208', approval: 'AIP-E209', window: 'AIP-E213', geo: 'AIP-E214' },
};

/** The code with which the limit refuses. */
export function codeOfLimit(limit: Pick<Limit, 'name'>): string {
  return limit.name === 'allowed_symbols' ? 'AIP-E204' : CODES[limitKindOf(limit)];
}

/** The kind of a limit. */
export function limitKindOf({ name }: Pick<Limit, 'name'>): LimitKind {
  switch (name) {
    case 'monetary_limit':
      return 'money';
    case 'daily_limit':
      return 'daily';
    case 'currency':
      return 'currency';
    case 'allowed_domains':
      return 'domains';
    case 'rate_limit':
      return 'rate';
    case 'require_approval':
      return 'approval';
    case 'time_window':
      return 'window';
    case 'geo_restriction':
      return 'geo';
  }
  if (/^max_.+_per_(?:second|minute|hour|day)$/.test(name)) return 'count';
  return name.split('_')[0] as LimitKind;
}

/** True where the limit reads a param of this name. */
export function limitReads(limit: Limit, name: string): boolean {
  if (limit.params !== null) return limit.params.some((each) => wordsIn(each).join(' ') === wordsIn(name).join(' '));
  switch (limitKindOf(limit)) {
    case 'money':
    case 'daily':
      return isMoneyName(name);
    case 'domains':
      return isDestinationName(name);
    case 'allowed':
    case 'denied':
    case 'max':
    case 'min':
    case 'require': {
      const names = [
        thingLimited(limit),
        ...(/^(?:env|environment|stage)s?$/.test(thingLimited(limit)) ? ['environment', 'env', 'stage'] : []),
      ];
      return names.some((each) => endsIn(name, each));
    }
    case 'currency':
    case 'rate':
    case 'count':
    case 'approval':
    case 'window':
    case 'geo':
      return false;
  }
}

/** The name of a param that the limit reads, where nothing else gives one. */
function nameFor(limit: Limit): string {
  if (limit.params !== null) return limit.params[0]!;
  const kind = limitKindOf(limit);
  if (kind === 'money' || kind === 'daily') return 'amount';
  if (kind === 'domains') return 'to';
  const thing = thingLimited(limit);
  return thing.length > 3 && thing.endsWith('s') && !thing.endsWith('ss') && (kind === 'allowed' || kind === 'denied')
    ? thing.slice(0, -1)
    : thing;
}

/** Params that the passport allows for the action, as far as its limits and its schema say. */
export function honestParams({ name: action, schema }: ActionView, limits: readonly Limit[]): JsonObject {
  const own = limits.filter((limit) => isFor(limit, action));
  const params: Record<string, Json> = {};
  const properties = propertiesOf(schema);
  for (const [name, property] of Object.entries(properties)) {
    const reading = own.filter((limit) => limitReads(limit, name));
    if (reading.length > 0 || requiredOf(schema).includes(name)) params[name] = valueFor(name, property, reading, own);
  }
  if (schema !== null) return params;
  for (const limit of own) {
    if (!['money', 'daily', 'domains', 'allowed', 'max', 'min', 'require'].includes(limitKindOf(limit))) continue;
    const there = Object.keys(params).find((name) => limitReads(limit, name)) ?? nameFor(limit);
    const reading = own.filter((each) => limitReads(each, there));
    params[there] = valueFor(there, {}, reading.length === 0 ? [limit] : reading, own);
  }
  return params;
}

/** A value under a name that its schema and the limits that read it take. */
function valueFor(name: string, property: JsonObject, reading: readonly Limit[], own: readonly Limit[]): Json {
  if (property['const'] !== undefined) return property['const'];
  const choices = property['enum'];
  const allowed = reading.find((limit) => limitKindOf(limit) === 'allowed');
  const values = allowed === undefined ? null : (allowed.value as readonly Json[]);
  if (Array.isArray(choices)) {
    const both = (choices as readonly Json[]).filter((each) => values === null || values.includes(each));
    const currency = isCurrencyName(name) ? both.find((each) => each === currencyOf(own)) : undefined;
    return currency ?? both[0] ?? (choices as readonly Json[])[0]!;
  }
  const type = Array.isArray(property['type']) ? (property['type'] as readonly Json[])[0] : property['type'];
  const scalar = (): Json => scalarFor(name, { property, type, reading, own, values });
  if (type === 'array') {
    const items = property['items'];
    const inner = typeof items === 'object' && items !== null && !Array.isArray(items) ? (items as JsonObject) : {};
    return [valueFor(name, inner, reading, own)];
  }
  if (type === 'object') {
    const inner = propertiesOf(property);
    return Object.fromEntries(
      Object.entries(inner)
        .filter(([each]) => requiredOf(property).includes(each))
        .map(([each, below]) => [
          each,
          valueFor(
            each,
            below,
            own.filter((limit) => limitReads(limit, each)),
            own,
          ),
        ]),
    );
  }
  return scalar();
}

function isCurrencyName(name: string): boolean {
  return /currency|^ccy$/i.test(name);
}

function currencyOf([first]: readonly Limit[]): string {
  return first?.currency ?? 'USD';
}

interface Wanted {
  readonly property: JsonObject;
  readonly type: Json | undefined;
  readonly reading: readonly Limit[];
  readonly own: readonly Limit[];
  readonly values: readonly Json[] | null;
}

function scalarFor(name: string, { property, type, reading, own, values }: Wanted): Json {
  if (values !== null) return values[0] ?? null;
  const money = reading.find((limit) => ['money', 'daily'].includes(limitKindOf(limit)));
  if (money !== undefined && type !== 'string') return honestAmount(money, property);
  if (money !== undefined) {
    const amount = honestAmount(money, property);
    return textFor(property, [String(amount), amount.toFixed(2)]);
  }
  if (reading.some((limit) => limitKindOf(limit) === 'max' || limitKindOf(limit) === 'min'))
    return withinBounds(reading, property);
  const domains = own.find((limit) => limitKindOf(limit) === 'domains');
  if (type === undefined || type === 'string') {
    const host = domains === undefined ? 'example.com' : (domainsOf(domains)[0] ?? 'example.com');
    const { format } = property;
    if (format === 'email' || (format === undefined && /mail|^to$|^cc$|^bcc$|recipient/i.test(name)))
      return `agent@${host}`;
    if (format === 'uri' || /ur[il]|href|endpoint|webhook|website/i.test(name)) return `https://${host}/`;
    if (reading.some((limit) => limitKindOf(limit) === 'domains'))
      return /^(?:host|hostname|domain|server)$/i.test(name) ? host : `agent@${host}`;
    if (isCurrencyName(name)) return currencyOf(own);
    return textFor(property);
  }
  if (type === 'boolean') return true;
  if (type === 'number' || type === 'integer') return withinBounds([], property);
  return null;
}

function textFor(
  { minLength, maxLength, pattern, format }: JsonObject,
  tries: readonly string[] = ['T-1', 'abc', '1', 'A1', 'T-12345', 'ABCDEF', '123456', 'a'],
): string {
  if (format === 'date-time') return '2026-01-01T00:00:00Z';
  if (format === 'date') return '2026-01-01';
  if (format === 'uuid') return '8e7a3c1e-9b1d-4f62-8f7a-3c1e9b1d4f62';
  const fits = (text: string): boolean => {
    try {
      return typeof pattern !== 'string' || pattern.length > 200 || new RegExp(pattern, 'u').test(text);
    } catch {
      return true;
    }
  };
  const [least, most] = [
    typeof minLength === 'number' ? minLength : 0,
    typeof maxLength === 'number' ? maxLength : 1000,
  ];
  const found =
    tries.find((text) => text.length >= least && text.length <= most && fits(text)) ??
    'x'.repeat(Math.max(1, Math.min(least, 1000)));
  return found.slice(0, Math.max(0, most));
}

/** The smallest whole amount that its schema takes, and never above the limit. */
function honestAmount({ value, currency }: Limit, { minimum, type }: JsonObject): number {
  const limit = exact(value) ?? minorUnit(currency);
  const least = typeof minimum === 'number' ? minimum : 1;
  const one = exact(least) ?? 0n;
  if (one <= limit || type === 'integer') return least;
  return Number(decimal(limit));
}

function withinBounds(reading: readonly Limit[], { minimum, maximum, exclusiveMinimum, type }: JsonObject): number {
  const sides = (kind: 'max' | 'min'): number[] =>
    reading.filter((limit) => limitKindOf(limit) === kind).map(({ value }) => Number(value));
  const least = Math.max(
    ...sides('min'),
    typeof minimum === 'number' ? minimum : -Infinity,
    typeof exclusiveMinimum === 'number' ? exclusiveMinimum + 1 : -Infinity,
  );
  const most = Math.min(...sides('max'), typeof maximum === 'number' ? maximum : Infinity);
  const found = Number.isFinite(least) ? least : Math.min(1, most);
  return type === 'integer' ? Math.ceil(found) : found;
}
