/**
 * What a passport allows beyond another one, and what it allows no longer. Each difference is tried alone: the old passport with nothing but it, and
 * intents from its edge through the real verifier, until one flips.
 */
import { canonicalize, sameJson } from '../../protocol/json/canonical.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import { approvalParts, tellingWords } from './approvers.js';
import type { OpenThrowaway } from './cases.js';
import { constraintsIn } from './narrowing.js';
import { environmentName, moneyName, needingPerson } from '../redteam/approvals/attacks.js';
import { attacksOnLimits } from '../redteam/attacks-limits.js';
import type { Honest } from '../redteam/attacks-money.js';
import { attacksOnSteps } from '../redteam/attacks-steps.js';
import { honestParams, limitKindOf } from '../redteam/honest.js';
import { allowedActions, isFor, limitsOf } from '../redteam/limits.js';
import { AttackedVerifier } from '../redteam/run.js';
import { Dice, FAIR, SELF, type Attack, type Scene } from '../redteam/scene.js';
import { fairAttack, Stage } from '../redteam/stage.js';

/** An intent on which the two passports differ. */
export interface Flip {
  readonly intent: JsonObject;
  /** How many of the same were accepted just before. */
  readonly history: number;
  /** How long before it the first of them was, in whole seconds. */
  readonly history_s: number;
  /** RFC 3339: when it is judged. */
  readonly now: string;
  /** Country of the request; null where none is given. */
  readonly geo: string | null;
  /** Who has approved it; null where that makes no difference. A key is null for a principal, whose pinned keys count. */
  readonly approved_by: readonly { readonly id: string; readonly public_key: string | null }[] | null;
  /** `accept`, or a code. */
  readonly old: string;
  readonly new: string;
}

/** One thing that became another. */
export interface PolicyDifference {
  /** `actions.deploy`, `denied_actions.deploy`, `constraints.monetary_limit`, `constraints.require_approval.approvers`, `expires_at`. */
  readonly path: string;
  /** `changed` where no intent was found that flips. */
  readonly direction: 'wider' | 'narrower' | 'changed';
  /** Null where there was nothing, and where nothing is left. */
  readonly before: Json;
  readonly after: Json;
  readonly example: Flip | null;
}

/** A difference, and the old passport with nothing but it. */
interface Step {
  readonly path: string;
  readonly before: Json;
  readonly after: Json;
  readonly alone: JsonObject;
}

/** Hours after which a passport whose time window changed is tried. */
const WEEK_HOURS = 168;

/** All differences, one or two lines each: a change may widen here and narrow there. @throws ShapeError where one of them is no passport */
export async function diffPassports(
  old: JsonObject,
  next: JsonObject,
  open: OpenThrowaway,
  pause: () => Promise<void>,
): Promise<PolicyDifference[]> {
  const found: PolicyDifference[] = [];
  const now = momentOf(old, next);
  const judged = { old: new Judge(old, now, open), next: new Judge(next, now, open) };
  try {
    for (const difference of stepsOf(old, next)) {
      const { path, before, after, alone } = difference;
      const step = new Judge(alone, now, open);
      try {
        const flips = await flipsOf(difference, [old, next], { ...judged, step, now }, pause);
        for (const direction of ['wider', 'narrower'] as const) {
          const example = flips[direction];
          if (example !== null) found.push({ path, direction, before, after, example });
        }
        if (flips.wider === null && flips.narrower === null)
          found.push({ path, direction: 'changed', before, after, example: null });
      } finally {
        step.close();
      }
    }
    return found;
  } finally {
    judged.old.close();
    judged.next.close();
  }
}

/** Later than both were issued, so that both are in force. */
function momentOf(old: JsonObject, next: JsonObject): number {
  const [a, b] = [new Stage(old, 1), new Stage(next, 1)];
  return Math.max(a.now, b.now);
}

class Judge {
  readonly stage: Stage;
  readonly #target: AttackedVerifier;

  constructor(passport: JsonObject, now: number, open: OpenThrowaway) {
    this.stage = new Stage(passport, 1, now);
    this.#target = new AttackedVerifier(this.stage, open);
  }

  async of(attack: Attack): Promise<string> {
    return (await this.#target.run(attack)).code ?? 'accept';
  }

  close(): void {
    this.#target.close();
  }
}

interface Judges {
  readonly old: Judge;
  readonly next: Judge;
  readonly step: Judge;
  readonly now: number;
}

async function flipsOf(
  difference: Step,
  passports: readonly JsonObject[],
  { old, next, step, now }: Judges,
  pause: () => Promise<void>,
): Promise<{ wider: Flip | null; narrower: Flip | null }> {
  const flips: Record<'wider' | 'narrower', { flip: Flip; whole: boolean } | null> = { wider: null, narrower: null };
  const isDone = isOneBound(difference)
    ? () => flips.wider?.whole === true || flips.narrower?.whole === true
    : () => flips.wider?.whole === true && flips.narrower?.whole === true;
  for (const attack of attemptsAt(difference, passports, now)) {
    if (isDone()) break;
    const [before, alone] = [await old.of(attack), await step.of(attack)];
    if ((before === 'accept') === (alone === 'accept')) continue;
    const way = before === 'accept' ? 'narrower' : 'wider';
    if (flips[way]?.whole === true) continue;
    // One that flips with all other changes as well says more.
    const after = await next.of(attack);
    const whole = (after === 'accept') === (alone === 'accept');
    if (flips[way] !== null && !whole) continue;
    const { sent, scene, history } = attack;
    const geo = scene.geo === 'fair' ? next.stage.geo : scene.geo;
    const at = new Date(now + scene.later).toISOString();
    const flip = {
      intent: sent.intent,
      history: history.length,
      history_s: Math.floor((history[0]?.ago ?? 0) / 1000),
      now: at,
      geo,
      approved_by: approversIn(scene, next.stage.own),
      old: before,
      new: whole ? after : alone,
    };
    flips[way] = { flip, whole };
    await pause();
  }
  return { wider: flips.wider?.flip ?? null, narrower: flips.narrower?.flip ?? null };
}

/** True where a number takes the place of another, also before the same `/hour`: that moves one edge, one way. */
function isOneBound({ path, before, after }: Step): boolean {
  const unit = unitOf(before);
  return path.startsWith('constraints.') && unit !== null && unit === unitOf(after);
}

/** What stands behind the one number of a limit; null where it is no such limit. */
function unitOf(value: Json): string | null {
  if (typeof value === 'number') return '';
  return typeof value === 'string' ? (/^\d+(\/\w+)$/.exec(value)?.[1] ?? null) : null;
}

function approversIn({ words }: Scene, { principal }: JsonObject): Flip['approved_by'] {
  if (words === 'enough') return null;
  return words.map(({ approver, key }) =>
    approver === SELF.principal ? { id: String(principal), public_key: null } : { id: approver, public_key: key },
  );
}

/** Intents at the edge of one difference, made from both passports. */
function attemptsAt(
  { path, alone }: Pick<Step, 'path' | 'alone'>,
  passports: readonly JsonObject[],
  now: number,
): Attack[] {
  const name = path.slice(path.indexOf('.') + 1);
  const attempts: Attack[] = [];
  // What both of them take may need what only the difference alone leaves as it was.
  for (const passport of [...passports, alone]) {
    for (const honest of honestOf(passport)) {
      const { action, params } = honest;
      const fair = fairAttack(action.name, params);
      if (path === `constraints.${APPROVAL}` || path.startsWith(`constraints.${APPROVAL}.`)) {
        // Words that are of no use under either passport show nothing.
        const attacks = attacksOnLimits(honest, new Dice(1)).filter(({ constraint }) => constraint === APPROVAL);
        if (name === APPROVAL) attempts.push(...attacks.filter(({ scene }) => scene.words.length === 0));
        attempts.push(...approvedBy(honest, passports));
        if (name === APPROVAL) attempts.push(fair, ...unapproved(honest, passports));
      } else if (path.startsWith('constraints.')) {
        attempts.push(
          ...listed(name, honest, passports),
          ...attacksOnLimits(honest, new Dice(1)).filter(({ constraint }) => constraint === name),
          fair,
        );
        if (name === 'currency') attempts.push(...inCurrencies(honest, passports));
        if (name === 'time_window') attempts.push(...hours(fair));
      } else if (path === 'expires_at') {
        const ends = passports.flatMap(({ expires_at }) =>
          typeof expires_at === 'string' ? [Date.parse(expires_at)] : [],
        );
        attempts.push(...ends.map((end) => ({ ...fair, scene: { ...FAIR, later: end - now + 1000 } })));
      } else if (action.name === name) {
        attempts.push(fair, ...attacksOnSteps(honest, new Dice(1)).filter(({ constraint }) => constraint === 'params'));
      }
    }
  }
  return [...new Map(attempts.map((attempt) => [JSON.stringify(attempt), attempt])).values()];
}

function honestOf(passport: JsonObject): Honest[] {
  const limits = limitsOf(passport);
  return allowedActions(passport).map((action) => ({
    action,
    params: honestParams(action, limits),
    limits: limits.filter((limit) => isFor(limit, action.name)),
  }));
}

/** Each value that one of the lists holds and the other does not. */
function listed(name: string, { action, limits }: Honest, passports: readonly JsonObject[]): Attack[] {
  const lists = passports.map((passport) => limitsOf(passport).find((limit) => limit.name === name)?.value);
  const values = new Map<string, Json>();
  for (const list of lists)
    if (Array.isArray(list)) for (const each of list as readonly Json[]) values.set(canonicalize(each), each);
  const [a, b] = lists.map((list) => new Set(Array.isArray(list) ? (list as readonly Json[]).map(canonicalize) : []));
  const differing = [...values].filter(([key]) => a!.has(key) !== b!.has(key)).slice(0, 32);
  const own = limits.find((limit) => limit.name === name);
  return differing.map(([, value]) => {
    const only = own === undefined ? null : { ...own, value: [value], name: own.name.replace(/^denied_/, 'allowed_') };
    const params = honestParams(action, only === null ? limits : [only, ...limits.filter((limit) => limit !== own)]);
    const scene = own !== undefined && limitKindOf(own) === 'geo' ? { ...FAIR, geo: String(value) } : FAIR;
    return { ...fairAttack(action.name, params), scene };
  });
}

/** The honest params in each currency that one of the passports names. */
function inCurrencies({ action, params }: Honest, passports: readonly JsonObject[]): Attack[] {
  const named = passports.map((passport) => constraintsIn(passport)['currency'] ?? null);
  return named.flatMap((currency) => (currency === null ? [] : [fairAttack(action.name, { ...params, currency })]));
}

const APPROVAL = 'require_approval';

/** With the word of those whom one of the passports takes and the other may not. */
function approvedBy({ action, params, limits }: Honest, passports: readonly JsonObject[]): Attack[] {
  const own = limits.find(({ name }) => name === APPROVAL);
  if (own === undefined) return [];
  const values = passports.flatMap((passport) => limitsOf(passport).filter(({ name }) => name === APPROVAL));
  const pressing = needingPerson(own, { action, params, limits });
  return tellingWords(values.map(({ value }) => value)).map((words) => ({
    ...fairAttack(action.name, pressing),
    scene: { ...FAIR, words },
  }));
}

/**
 * Without a person's word: in each environment that one of the passports names and in another one, at each amount above which one asks, and without
 * money or environment, which asks as well.
 */
function unapproved({ action, params }: Honest, passports: readonly JsonObject[]): Attack[] {
  const rules = passports.map((passport) => constraintsIn(passport)[APPROVAL]).filter((rule) => isObject(rule ?? null));
  const named = rules.flatMap((rule) => textsOf((rule as JsonObject)['environments']));
  const amounts = rules.flatMap((rule) => (rule as JsonObject)['above'] ?? []).map(Number);
  const [environment, amount] = [environmentName(params), moneyName(params)];
  const places =
    named.length === 0
      ? [{}]
      : [...new Set([...named.slice(0, 32), 'elsewhere'])].map((each) => ({ [environment]: each }));
  const sums = [{}, ...amounts.filter(Number.isFinite).map((each) => ({ [amount]: each }))];
  const tried = places.flatMap((place) => sums.map((sum) => ({ ...params, ...place, ...sum })));
  return [...tried, {}].map((each) => ({ ...fairAttack(action.name, each), scene: { ...FAIR, words: [] } }));
}

function hours(fair: Attack): Attack[] {
  return Array.from({ length: WEEK_HOURS }, (_, i) => ({ ...fair, scene: { ...FAIR, later: i * 3_600_000 } }));
}

/** Every difference that changes what is allowed. */
function stepsOf(old: JsonObject, next: JsonObject): Step[] {
  const steps: Step[] = [];
  const [had, has] = [declared(old), declared(next)];
  for (const name of new Set([...had.keys(), ...has.keys()])) {
    const [before, after] = [had.get(name) ?? null, has.get(name) ?? null];
    if (sameJson(before, after)) continue;
    const others = [...had].flatMap(([each, value]) => (each === name ? [] : [value]));
    steps.push({
      path: `actions.${name}`,
      before,
      after,
      alone: { ...old, actions: after === null ? others : [...others, after] },
    });
  }
  const [denied, denies] = [textsOf(old['denied_actions']), textsOf(next['denied_actions'])];
  for (const name of new Set([...denied, ...denies])) {
    if (denied.includes(name) === denies.includes(name)) continue;
    const alone = denies.includes(name) ? [...denied, name] : denied.filter((each) => each !== name);
    const [before, after] = [denied.includes(name) ? true : null, denies.includes(name) ? true : null];
    steps.push({ path: `denied_actions.${name}`, before, after, alone: { ...old, denied_actions: alone } });
  }
  const [limited, limits] = [constraintsIn(old), constraintsIn(next)];
  for (const name of new Set([...Object.keys(limited), ...Object.keys(limits)])) {
    const [before, after] = [limited[name] ?? null, limits[name] ?? null];
    if (name.startsWith('x-') || sameJson(before, after)) continue;
    const { [name]: _, ...rest } = limited;
    const whole = [{ path: name, before, after, alone: after }];
    for (const part of name === APPROVAL ? approvalParts(before, after) : whole) {
      const constraints = part.alone === null ? rest : { ...rest, [name]: part.alone };
      steps.push({ ...part, path: `constraints.${part.path}`, alone: { ...old, constraints } });
    }
  }
  const [ends, end] = [old['expires_at'] ?? null, next['expires_at'] ?? null];
  if (!sameJson(ends, end))
    steps.push({ path: 'expires_at', before: ends, after: end, alone: { ...old, expires_at: end } });
  return steps;
}

function declared({ actions }: JsonObject): Map<string, Json> {
  const list = Array.isArray(actions) ? (actions as readonly Json[]) : [];
  return new Map(list.map((each) => [isObject(each) ? String(each['name']) : String(each), each]));
}

function textsOf(value: Json | undefined): string[] {
  return Array.isArray(value) ? (value as readonly Json[]).map(String) : [];
}
