/** A whole run of the red team, and what is said of it. */
import { ShapeError } from '../../protocol/json/shape.js';
import type { JsonObject } from '../../protocol/json/values.js';
import type { OpenThrowaway } from '../policy/cases.js';
import { attacksOnLimits } from './attacks-limits.js';
import type { Honest } from './attacks-money.js';
import { attacksOnSteps, openings } from './attacks-steps.js';
import { codeOfLimit, honestParams } from './honest.js';
import { allowedActions, isFor, limitsOf } from './limits.js';
import { AttackedVerifier, type AttackEnd } from './run.js';
import { Dice, FAIR, type Attack } from './scene.js';
import { fairAttack, Stage } from './stage.js';

/** What became of the attacks on one constraint, or on one step of the verifier. */
export interface ConstraintReport {
  readonly constraint: string;
  readonly attacks: number;
  /** How many were stopped, by code. */
  readonly stopped: Readonly<Record<string, number>>;
  readonly through: number;
  /** The first few that got through, one of each kind. */
  readonly examples: readonly Through[];
}

/** An attack that got through. */
export interface Through {
  readonly kind: string;
  readonly action: string;
  /** Why nothing stops it; null where the verifier ought to. */
  readonly why: string | null;
  /** A member of `actions` that stops it; null where the passport says it already. */
  readonly line: JsonObject | null;
  /** A case for `aip policy test`; null where a case cannot tell it. */
  readonly case: JsonObject | null;
}

/** The answer to a run. */
export interface RedteamReport {
  readonly agent_id: string;
  readonly seed: number;
  readonly attacks: number;
  readonly stopped: number;
  readonly through: number;
  /** Generated, and nothing wrong with them. */
  readonly harmless: number;
  readonly constraints: readonly ConstraintReport[];
  /** Whether an honest intent of each action passes; attacks on one that does not show nothing, and are not made. */
  readonly honest: readonly { readonly action: string; readonly accepted: boolean; readonly code: string | null }[];
}

/** How a run is made. */
export interface RedteamSetting {
  readonly seed: number;
  /** Attacks at most; all kinds are tried once before any is tried again. */
  readonly runs: number;
  /** As cases name the passport. */
  readonly named: string | JsonObject;
  /** Ends the run with the first attack that gets through. */
  readonly untilThrough?: boolean;
}

const EXAMPLES = 5;
const PAUSE_EVERY = 200;
/** Of an action without an honest intent nothing is learnt; others of a long list are tried in turn. */
const ROUNDS_WITHOUT_NEWS = 3;

/** Attacks a passport. @throws ShapeError where the document is no passport, also with the keys that stand in */
export async function attackPassport(
  passport: JsonObject,
  { seed, runs, named, untilThrough = false }: RedteamSetting,
  open: OpenThrowaway,
  pause: () => Promise<void>,
): Promise<RedteamReport> {
  const stage = new Stage(passport, seed);
  const target = new AttackedVerifier(stage, open);
  const dice = new Dice(seed);
  const found = new Map<string, Tally>();
  const totals = { attacks: 0, stopped: 0, through: 0, harmless: 0 };
  try {
    const { honest, fair } = await honestIntents(stage, target);
    for (
      let round = 0, idle = 0;
      totals.attacks < runs && !(untilThrough && totals.through > 0) && idle < ROUNDS_WITHOUT_NEWS && fair.length > 0;
      round++
    ) {
      const before = totals.attacks;
      for (const attack of attacksOf(fair, dice, round)) {
        if (totals.attacks >= runs || (untilThrough && totals.through > 0)) break;
        const ended = await target.run(attack);
        if (!ended.counts()) {
          totals.harmless += 1;
          continue;
        }
        totals.attacks += 1;
        if (ended.code === null) totals.through += 1;
        else totals.stopped += 1;
        tallyOf(found, attack).add(ended, stage, named);
        if (totals.attacks % PAUSE_EVERY === 0) await pause();
      }
      idle = totals.attacks === before ? idle + 1 : 0;
    }
    return {
      ...{ agent_id: String(stage.own['agent_id']), seed, ...totals },
      constraints: [...found.values()].map((tally) => tally.report()),
      honest,
    };
  } finally {
    target.close();
  }
}

/** In the first round everything; then attacks on limits alone, with other values. Steps are asked of one action, as they are the same for all. */
function attacksOf(fair: readonly Honest[], dice: Dice, round: number): Attack[] {
  const limits = fair.flatMap((honest) => attacksOnLimits(honest, dice));
  const steps = fair.flatMap((honest, i) =>
    i === 0 || honest.action.schema !== null ? attacksOnSteps(honest, dice) : [],
  );
  if (round === 0) return [...fair.flatMap((honest) => openings(honest, dice)), ...limits, ...steps];
  const all = [...limits, ...steps].filter(({ history }) => history.length <= 3);
  return all.map(() => dice.of(all));
}

async function honestIntents(
  stage: Stage,
  target: AttackedVerifier,
): Promise<{ honest: RedteamReport['honest']; fair: Honest[] }> {
  const limits = limitsOf(stage.own);
  const honest: { action: string; accepted: boolean; code: string | null }[] = [];
  const fair: Honest[] = [];
  for (const action of allowedActions(stage.own)) {
    const params = honestParams(action, limits);
    const { code } = await target.run(fairAttack(action.name, params));
    honest.push({ action: action.name, accepted: code === null, code });
    if (code === null) fair.push({ action, params, limits: limits.filter((limit) => isFor(limit, action.name)) });
  }
  if (honest.length === 0) throw new ShapeError('it allows no action');
  return { honest, fair };
}

class Tally {
  readonly #constraint: string;
  #attacks = 0;
  #through = 0;
  readonly #stopped = new Map<string, number>();
  readonly #examples = new Map<string, Through>();

  constructor(constraint: string) {
    this.#constraint = constraint;
  }

  add({ attack, code }: AttackEnd, stage: Stage, named: RedteamSetting['named']): void {
    this.#attacks += 1;
    if (code !== null) {
      this.#stopped.set(code, (this.#stopped.get(code) ?? 0) + 1);
      return;
    }
    this.#through += 1;
    const key = `${attack.action} ${attack.kind}`;
    if (this.#examples.size >= EXAMPLES || this.#examples.has(key)) return;
    const { kind, action, open } = attack;
    this.#examples.set(key, {
      ...{ kind, action, why: open?.why ?? null, line: open?.line ?? null },
      case: caseOf(attack, stage, named),
    });
  }

  report(): ConstraintReport {
    return {
      constraint: this.#constraint,
      attacks: this.#attacks,
      stopped: Object.fromEntries([...this.#stopped].sort(([a], [b]) => (a < b ? -1 : 1))),
      through: this.#through,
      examples: [...this.#examples.values()],
    };
  }
}

function tallyOf(found: Map<string, Tally>, { constraint }: Attack): Tally {
  let tally = found.get(constraint);
  if (tally === undefined) found.set(constraint, (tally = new Tally(constraint)));
  return tally;
}

/** Null for what a case cannot say: who signs, which passport is presented, what is known of the agent. */
function caseOf(
  { constraint, kind, action, sent, history, scene, open }: Attack,
  stage: Stage,
  named: RedteamSetting['named'],
): JsonObject | null {
  const { hand, raw, after, asked, again } = sent;
  const plain = [hand, raw, after, asked, again].every((each) => each === undefined);
  const sceneless = Object.entries(scene).every(
    ([name, value]) => name === 'later' || name === 'words' || value === FAIR[name as keyof typeof FAIR],
  );
  const approvers = stage.approversIn(scene);
  if (!plain || !sceneless || approvers === null) return null;
  const now = new Date(stage.now + scene.later).toISOString();
  const timed = ({ intent, ago = 0 }: { intent: JsonObject; ago?: number }): JsonObject => ({
    ...intent,
    ...(ago === 0 ? {} : { timestamp: Math.floor((stage.now + scene.later - ago) / 1000) }),
  });
  const limit = limitsOf(stage.own).find(({ name }) => name === constraint);
  const code = open !== null || limit === undefined ? 'AIP-E211' : codeOfLimit(limit);
  return {
    ...{ name: `${constraint}: ${action}, ${kind}`, passport: named, now },
    ...(history.length === 0 ? {} : { history: history.map(timed) }),
    ...(approvers.length === 0 ? {} : { approved_by: approvers }),
    ...{ intent: sent.intent, expect: code },
  };
}
