/** The grammar of `monetary_limit`, `daily_limit`, `currency` and every other amount of money in a passport. */
import type { CurrencyRule, MoneyLimit } from './rules.js';
import { DEFAULT_CURRENCY, minorDigits } from './currencies.js';
import { decimalOf, formatMinor, MAX_MINOR, toMinor } from './money.js';
import { isObject, type Json, type JsonObject } from '../json/values.js';

/** Called with the path and what is wrong there. */
export type Refuse = (path: string, reason: string) => null;

export interface MoneyRules {
  readonly rules: readonly (CurrencyRule | MoneyLimit<'monetary_limit'> | MoneyLimit<'daily_limit'>)[];
  readonly currency: string;
  /** What is added up. */
  readonly amountParam: string;
  /** All that limits read; `amount` where there are none. */
  readonly params: readonly string[];
}

interface Written {
  readonly limit: Json | undefined;
  readonly limitPath: string;
  readonly currency: Json | undefined;
  readonly param: string;
}

const PARAM = /^[^\p{C}\p{Z}]{1,128}$/u;

/** The name of a param in `{param: ...}`, or null after `refuse` was told why not. */
export function paramNameOf(value: Json | undefined, path: string, refuse: Refuse): string | null {
  return typeof value === 'string' && PARAM.test(value) ? value : refuse(path, 'is not the name of a param');
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
  const named: [string, Json | undefined][] = [
    ['currency', value.currency],
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
  const amountParam = daily?.param ?? single?.param ?? 'amount';
  const singleLimit = single === null ? null : limitOf(single.limit, code, single.limitPath, refuse);
  const dailyLimit = daily === null ? null : limitOf(daily.limit, code, daily.limitPath, refuse);
  const params = [...new Set([single?.param, daily?.param].filter((param) => param !== undefined))];
  if (params.length === 0) params.push(amountParam);
  const rules: MoneyRules['rules'][number][] = [];
  if (!assumed || single !== null || daily !== null) {
    rules.push({ kind: 'currency', currency: code, assumed, params, limit: singleLimit });
  }
  if (singleLimit !== null) {
    rules.push({ kind: 'monetary_limit', limit: singleLimit, currency: code, param: single!.param });
  }
  if (dailyLimit !== null) rules.push({ kind: 'daily_limit', limit: dailyLimit, currency: code, param: daily!.param });
  return { rules, currency: code, amountParam, params };
}

function writtenOf(constraints: JsonObject, name: string, refuse: Refuse): Written | null {
  const value = constraints[name];
  if (value === undefined) return null;
  if (!isObject(value)) return { limit: value, limitPath: name, currency: undefined, param: 'amount' };
  const stranger = Object.keys(value).find((member) => !['limit', 'currency', 'param'].includes(member));
  if (stranger !== undefined) refuse(`${name}.${stranger.slice(0, 64)}`, 'is not part of {limit, currency, param}');
  const param = value.param === undefined ? 'amount' : paramNameOf(value.param, `${name}.param`, refuse);
  // `<param>_minor` is read beside every money param; naming it would read cents as whole units.
  if (param?.endsWith('_minor')) refuse(`${name}.param`, 'ends in "_minor", which is read beside the param without it');
  return { limit: value.limit, limitPath: `${name}.limit`, currency: value.currency, param: param ?? 'amount' };
}
