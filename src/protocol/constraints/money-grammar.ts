/** The grammar of `monetary_limit`, `daily_limit`, `currency` and every other amount of money in a passport. */
import type { CurrencyRule, InCurrency, MoneyLimit, MoneySource } from './rules.js';
import { actionsOf, scopedParams, writtenAs, type Refuse } from './scope.js';
import { DEFAULT_CURRENCY, minorDigits } from './currencies.js';
import { decimalOf, formatMinor, MAX_MINOR, toMinor } from './money.js';
import { isObject, type Json, type JsonObject } from '../json/values.js';

/** The constraints on money of one passport, which share a currency. */
export interface MoneyRules {
  readonly rules: readonly (CurrencyRule | MoneyLimit<'monetary_limit'> | MoneyLimit<'daily_limit'>)[];
  /** The default where the passport names none. */
  readonly inCurrency: InCurrency;
  /** What is added up. */
  readonly spends: MoneySource;
  /** All that limits read. */
  readonly sources: readonly MoneySource[];
}

interface Written {
  readonly limit: Json | undefined;
  readonly limitPath: string;
  readonly currency: Json | undefined;
  readonly source: MoneySource;
  readonly actions: ReadonlySet<string> | null;
  readonly release: boolean;
}

/** Minor units of a limit; null after `refuse` was told why not. */
export function limitOf(value: Json | undefined, currency: string, path: string, refuse: Refuse): bigint | null {
  const decimal = decimalOf(value);
  if (decimal === null) return refuse(path, 'is not a number or a decimal string like "100.00"');
  if (decimal.coefficient < 0n) return refuse(path, 'is negative');
  const minor = toMinor(decimal, currency);
  if (minor === null) return refuse(path, `is finer than ${currency} allows (${minorDigits(currency)} digits)`);
  return minor <= MAX_MINOR ? minor : refuse(path, `is above ${formatMinor(MAX_MINOR, currency)}`);
}

/** Every limit of a passport is in one currency: amounts in two could not be added up. */
export function parseMoney(value: JsonObject, refuse: Refuse): MoneyRules {
  const single = writtenOf(value, 'monetary_limit', refuse);
  const daily = writtenOf(value, 'daily_limit', refuse);
  const plain = value.currency === undefined ? null : writtenAs('currency', value.currency, refuse);
  const named: [string, Json | undefined][] = [
    ['currency', plain?.value],
    ['monetary_limit.currency', single?.currency],
    ['daily_limit.currency', daily?.currency],
  ];
  let currency: string | null = null;
  for (const [path, code] of named) {
    if (code === undefined) continue;
    if (typeof code !== 'string' || minorDigits(code) === null)
      refuse(path, 'is not an active ISO 4217 code like "USD"');
    else if (currency !== null && currency !== code) refuse(path, `is not ${currency}: a passport has one currency`);
    else currency ??= code;
  }
  const assumed = currency === null;
  const code = currency ?? DEFAULT_CURRENCY;
  const singleLimit = single === null ? null : limitOf(single.limit, code, single.limitPath, refuse);
  const dailyLimit = daily === null ? null : limitOf(daily.limit, code, daily.limitPath, refuse);
  const written = [single, daily].filter((each) => each !== null);
  const sources = unlike(written.map(({ source }) => source));
  const spends = daily?.source ?? (daily === null ? (single?.source ?? null) : null);
  const rules: MoneyRules['rules'][number][] = [];
  const inCurrency = { currency: code, ...(plain?.params == null ? {} : { currencyIn: plain.params }) };
  if (!assumed || written.length > 0) {
    // Whatever is for all actions makes its currency one for all: an amount in another could not be held to it.
    const scopes = [...written, ...(plain === null ? [] : [plain])].map(({ actions }) => actions);
    const actions = scopes.some((each) => each === null) ? null : new Set(scopes.flatMap((each) => [...each!]));
    rules.push({ kind: 'currency', ...inCurrency, assumed, sources, limit: singleLimit, actions });
  }
  if (singleLimit !== null) {
    const { source, actions } = single!;
    rules.push({ kind: 'monetary_limit', limit: singleLimit, ...inCurrency, source, actions });
  }
  if (dailyLimit !== null) {
    const { source, actions, release } = daily!;
    rules.push({
      kind: 'daily_limit',
      limit: dailyLimit,
      ...inCurrency,
      source,
      actions,
      ...(release ? { release } : {}),
    });
  }
  return { rules, inCurrency, spends, sources };
}

/** The sources that differ; to look for money where no limit names params. */
function unlike(sources: readonly MoneySource[]): readonly MoneySource[] {
  if (sources.length === 0) return [null];
  const [first, second] = sources;
  return second === undefined || sourceText(first!) === sourceText(second) ? [first!] : sources;
}

/** One text for all sources that read the same. */
export function sourceText(source: MoneySource): string {
  return source === null
    ? ''
    : source
        .map(({ key }) => key)
        .sort()
        .join(' ');
}

const MEMBERS = ['limit', 'value', 'currency', 'param', 'params', 'actions'];

function writtenOf(constraints: JsonObject, name: string, refuse: Refuse): Written | null {
  const value = constraints[name];
  if (value === undefined) return null;
  if (!isObject(value))
    return { limit: value, limitPath: name, currency: undefined, source: null, actions: null, release: false };
  const known = name === 'daily_limit' ? [...MEMBERS, 'release'] : MEMBERS;
  const stranger = Object.keys(value).find((member) => !known.includes(member));
  if (stranger !== undefined)
    refuse(
      `${name}.${stranger.slice(0, 64)}`,
      `is not part of {limit, currency, params, actions${name === 'daily_limit' ? ', release' : ''}}`,
    );
  if (value.release !== undefined && typeof value.release !== 'boolean')
    refuse(`${name}.release`, 'is not true or false');
  for (const [one, other] of [
    ['limit', 'value'],
    ['param', 'params'],
  ] as const) {
    if (value[one] !== undefined && value[other] !== undefined) refuse(`${name}.${other}`, `is given as "${one}" too`);
  }
  const source = scopedParams(value.params, value.param, name, refuse);
  const actions = actionsOf(value.actions, `${name}.actions`, refuse);
  // `<param>_minor` is read beside every money param; naming it would read cents as whole units.
  const minor = (source ?? []).some(({ text }) => text.endsWith('_minor'));
  if (minor) refuse(`${name}.param`, 'ends in "_minor", which is read beside the param without it');
  const limitPath = value.limit === undefined && value.value !== undefined ? `${name}.value` : `${name}.limit`;
  return {
    limit: value.limit ?? value.value,
    limitPath,
    currency: value.currency,
    source: source ?? null,
    actions: actions ?? null,
    release: value.release === true,
  };
}
