import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { tierOf } from '../../../src/protocol/constraints/destinations.js';
import type { Reads } from '../../../src/protocol/constraints/rules.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { wordsOf } from '../../../src/protocol/naming/name-words.js';
import { nameOf } from '../../../src/protocol/naming/names.js';
import { checkConstraints } from '../../../src/verify/constraints.js';
import { moneyNameOf } from '../../../src/protocol/constraints/money-names.js';
import { amountsIn } from '../../../src/verify/constraints/reading/amount.js';
import { membersOf } from '../../../src/verify/constraints/reading/members.js';
import { isRead } from '../../../src/verify/constraints/reading/reads.js';
import { constraintsOf, judgedBy, type History } from './judging.js';

const vectors = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), 'utf8')) as T;

interface NameVector {
  readonly name: string;
  readonly words: readonly string[];
  readonly money: boolean;
  readonly minor?: boolean;
  readonly tier: string | null;
}
interface ThingVector {
  readonly constraint: string;
  readonly reads: boolean;
  readonly names: readonly string[];
}
interface Vector {
  readonly name: string;
  readonly constraints?: JsonObject;
  readonly params: JsonObject;
  readonly target?: string;
  readonly history?: readonly History[];
  readonly expect: readonly string[];
}

const NAMES = vectors<{ names: readonly NameVector[]; things: readonly ThingVector[] }>('names');
const VALUE_OF: Readonly<Record<string, JsonObject[string]>> = {
  allowed: ['x'],
  denied: ['x'],
  max: 1,
  min: 1,
  require: true,
};

describe('names', () => {
  test.each(NAMES.names.map((each) => [each.name, each] as const))(
    '%s',
    (text, { words, money, minor = false, tier }) => {
      const name = nameOf(text);
      expect(wordsOf(text)).toEqual(words);
      expect([moneyNameOf(name).money, moneyNameOf(name).minor]).toEqual([money, minor]);
      expect(tierOf(name)).toBe(tier);
    },
  );

  const things = NAMES.things.flatMap(({ constraint, reads, names }) =>
    names.map((name) => [constraint, reads ? 'reads' : 'does not read', name, reads] as const),
  );
  test.each(things)('%s %s %s', (constraint, _, name, reads) => {
    const [rule] = constraintsOf({ [constraint]: VALUE_OF[constraint.split('_')[0]!]! }).all;
    expect(isRead(nameOf(name), (rule as unknown as { reads: Reads }).reads)).toBe(reads);
  });
});

const codes = (constraints: JsonObject, vector: Vector) =>
  checkConstraints(constraintsOf(constraints), judgedBy(vector)).map(({ entry }) => entry.code);

describe('money', () => {
  test.each(vectors<Vector[]>('money').map((each) => [each.name, each] as const))('%s', (_, vector) => {
    expect(codes(vector.constraints!, vector)).toEqual(vector.expect);
  });
});

describe('destinations', () => {
  const only = { allowed_domains: ['acme.com'] };
  test.each(vectors<Vector[]>('destinations').map((each) => [each.name, each] as const))('%s', (_, vector) => {
    expect(codes(vector.constraints ?? only, vector)).toEqual(vector.expect);
  });
});

describe('thousands of prices and quantities', () => {
  const many = (name: string): JsonObject =>
    Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`${name}${i}_${name}`, 1]));
  test.each<[string, JsonObject]>([
    ['in two lists', { prices: Array<number>(300).fill(1), quantities: Array<number>(300).fill(1) }],
    ['under as many names', { ...many('price'), ...many('qty') }],
  ])('%s have no more readings than there are numbers', (_, params) => {
    const { readings } = amountsIn(params, membersOf(params), null, 'USD');
    expect(readings.length).toBeLessThan(1300);
  });
});

describe('thousands of amounts under a name as long as a document', () => {
  const long = `${'a'.repeat(20_000)}_total`;
  const amounts = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`price${i}x`, 1]));
  const [, ...members] = membersOf({ [long]: [amounts, amounts] });

  test('have the name read once', () => {
    const holder = members[0]!.parent!.name;
    expect(moneyNameOf(holder)).toBe(moneyNameOf(holder));
  });

  // V8 hashes a text of more than 16,383 characters by its length alone.
  test('are grouped by short texts', () => {
    expect(new Set(members.map(({ group }) => group)).size).toBe(300);
    for (const { group } of members) expect(group!.length).toBeLessThan(16);
  });
});
