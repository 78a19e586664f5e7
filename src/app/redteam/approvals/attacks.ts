/** Attacks on the word of persons: given by too few, by others, for something else, too late, or twice. */
import { isObject, type Json, type JsonObject } from '../../../protocol/json/values.js';
import type { Honest } from '../attacks-money.js';
import { isMoneyName } from '../honest.js';
import { decimal, exact, minorUnit, type Limit } from '../limits.js';
import { SELF, type PersonsWord, type Scene, type Sent, type WordFlaw } from '../scene.js';
import { countIn, enoughFor, peopleIn, personOf, personsWords, type NamedPerson } from './people.js';

/** One attack: its kind, what is sent, what persons say, and what comes before. */
export interface MisusedApproval {
  readonly kind: string;
  readonly sent: Partial<Sent> & { readonly intent: JsonObject };
  readonly words: Scene['words'];
  readonly history?: readonly Sent[];
}

/** Attacks on `require_approval` for one action. */
export function attacksOnApproval(limit: Limit, honest: Honest): MisusedApproval[] {
  const { params } = honest;
  const environments = inEnvironments(limit, honest);
  const above = aboveTheLimit(limit, honest);
  const unasked = (kind: string, changed: JsonObject): MisusedApproval => ({
    kind,
    sent: { intent: { params: changed } },
    words: [],
  });
  const pressing = needingPerson(limit, honest);
  return [
    unasked('nobody approved it', params),
    ...environments.map((each) => unasked('an environment in other letters', each)),
    ...above.map((each) => unasked('an amount that a person has to see', each)),
    ...misusedWords(limit.value).map(([kind, words]) => ({ kind, sent: { intent: { params: pressing } }, words })),
    ...forSomethingElse(pressing).map(([kind, sent]) => ({ kind, sent, words: 'enough' as const })),
    {
      kind: 'an approval that was used before',
      sent: { intent: { params: pressing }, again: true },
      words: 'enough',
      history: [{ intent: { action: honest.action.name, params: pressing }, ago: 1000 }],
    },
  ];
}

/** Params with which the action needs a person, where the limit says when it does. */
export function needingPerson(limit: Limit, honest: Honest): JsonObject {
  if (demandsAlways(limit, honest.action.name)) return honest.params;
  return inEnvironments(limit, honest)[0] ?? aboveTheLimit(limit, honest)[0] ?? honest.params;
}

/** True where every intent of the action needs a person. */
function demandsAlways({ value }: Limit, action: string): boolean {
  if (!isObject(value)) return true;
  const { actions, environments, above } = value;
  if (Array.isArray(actions) && (actions as readonly Json[]).includes(action)) return true;
  return actions === undefined && environments === undefined && above === undefined;
}

const OTHERS_TRIED = 8;

/** Words with one thing wrong: without the last person's they would be one too few. */
function misusedWords(value: Json): (readonly [string, readonly PersonsWord[]])[] {
  const people = peopleIn(value);
  const enough = enoughFor(value);
  const [short, last] = [enough.slice(0, -1), enough.at(-1)];
  // With no one left to speak there is nothing to misuse.
  if (last === undefined || enough.length < countIn(value)) return [];
  const flawed = (kind: string, flaw: WordFlaw): readonly [string, readonly PersonsWord[]] => [
    kind,
    [...short, { ...last, flaw }],
  ];
  const [first] = short;
  const second = first === undefined ? undefined : secondKeyOf(first, people ?? []);
  const others = people === null ? [] : personsWords(people).slice(enough.length, enough.length + OTHERS_TRIED);
  return [
    ...(short.length === 0 ? [] : [['one approver too few', short] as const]),
    ...(first === undefined ? [] : [['one approver twice', [...short, first]] as const]),
    ...(second === undefined ? [] : [['one approver with two keys', [...short, second]] as const]),
    // Right for most; a passport may name its own agent.
    ...others.map((each) => [`the word of ${each.approver}`, [...short, each]] as const),
    ['an approver who is not named', [...short, { approver: 'did:web:other.example', key: SELF.stranger }]],
    ["a stranger's key in the name of an approver", [...short, { ...last, key: SELF.stranger }]],
    ['the agent itself', [...short, { approver: SELF.agent, key: SELF.agent }]],
    ["the agent's key in the name of an approver", [...short, { ...last, key: SELF.agent }]],
    ...(people === null
      ? []
      : ([
          ['the principal, where approvers are named', [...short, { approver: SELF.principal, key: SELF.principal }]],
          ["the principal's key in the name of an approver", [...short, { ...last, key: SELF.principal }]],
        ] as const)),
    ['a denial among the approvals', [...enough, { ...last, flaw: 'denial' }]],
    ['a denial that is left out', [...enough, { ...last, flaw: 'denial before' }]],
    flawed('a denial turned into a yes', 'denial turned into a yes'),
    flawed('an approval of another action', 'another action'),
    flawed('an approval for another request', 'another request'),
    flawed('an approval for another verifier', 'another verifier'),
    flawed('an approval under another passport', 'another passport'),
    flawed('an approval that is over', 'over'),
    flawed('an approval for longer than the passport allows', 'too long'),
    flawed('an approver who is revoked', 'approver revoked'),
  ];
}

function secondKeyOf({ approver, key }: PersonsWord, people: readonly NamedPerson[]): PersonsWord | undefined {
  const other = people.find((each) => personOf(each.id) === personOf(approver) && each.key !== key);
  return other === undefined ? undefined : { approver: other.id, key: other.key };
}

/** Approved was one thing, and sent is another. */
function forSomethingElse(params: JsonObject): (readonly [string, MisusedApproval['sent']])[] {
  return [
    ['approved for another target', { intent: { params, target: 'two' }, asked: { target: 'one' } }],
    ...Object.entries(params).flatMap(([name, value]): (readonly [string, MisusedApproval['sent']])[] => {
      const asked = other(value);
      return asked === null
        ? []
        : [[`approved with another ${name}`, { intent: { params }, asked: { params: { ...params, [name]: asked } } }]];
    }),
  ];
}

function other(value: Json): Json {
  if (typeof value === 'number') return value > 1 ? value - 1 : value / 2;
  return typeof value === 'string' ? `${value}x` : null;
}

/** The name under which params show an environment, or would. */
export function environmentName(params: JsonObject): string {
  return Object.keys(params).find((each) => /^(?:environment|env|stage)$/i.test(each)) ?? 'environment';
}

/** The name under which params show money, or would. */
export function moneyName(params: JsonObject): string {
  return Object.keys(params).find(isMoneyName) ?? 'amount';
}

function inEnvironments({ value }: Limit, { params }: Honest): JsonObject[] {
  const list = isObject(value) ? value['environments'] : null;
  const [first] = Array.isArray(list) ? (list as readonly Json[]) : [];
  if (typeof first !== 'string') return [];
  const name = environmentName(params);
  return [first, first.toUpperCase(), ` ${first} `, wide(first)].map((each) => ({ ...params, [name]: each }));
}

function aboveTheLimit({ value, currency }: Limit, { params }: Honest): JsonObject[] {
  const above = isObject(value) ? exact(value['above'] ?? null) : null;
  if (above === null) return [];
  const name = moneyName(params);
  return [above + minorUnit(currency), above * 3n + minorUnit(currency)].map((each) => ({
    ...params,
    [name]: Number(decimal(each)),
  }));
}

/** In full-width letters. */
export function wide(text: string): string {
  return text.replace(/[!-~]/g, (letter) => String.fromCodePoint(letter.codePointAt(0)! + 0xfee0));
}
