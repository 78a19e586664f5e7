/**
 * The recorded log under another passport. Who sent an intent and when, its nonce, and the agent's standing are taken as they were found; what it
 * may do is judged anew, in the order of the log, with the windows filled from before. What the log does not show is not guessed: where it decides,
 * no verdict is given.
 */
import type { Json, JsonObject } from '../../protocol/json/values.js';
import { emptyObject } from '../../protocol/json/values.js';
import type { Constraint, Constraints } from '../../protocol/constraints/rules.js';
import { canonicalize } from '../../protocol/json/canonical.js';
import type { Entry } from '../../protocol/log/entry.js';
import { readPassport, type Passport } from '../../protocol/passport.js';
import { parseTime } from '../../protocol/time.js';
import type { Policy, SchemaCheck } from '../../verify/context.js';
import type { Violation } from '../../verify/decision.js';
import type { Meter } from '../../verify/meters.js';
import { HeldSteps, type EntryQuestion } from './held-steps.js';
import { couldRead, hiddenOf, type Hidden, type HiddenReason } from './hidden.js';
import { gaugesOf, PastWindows, type PastUsage, type Side } from './windows.js';

/** Why there is no verdict on an entry. */
export type OpenReason = HiddenReason | 'hook' | 'approval' | 'envelope' | 'geo' | 'sender' | 'window';

/** A verdict under the new passport. */
export type ReplayVerdict =
  | { readonly verdict: 'accepted' }
  | { readonly verdict: 'refused'; readonly code: string }
  | { readonly verdict: 'open'; readonly reason: OpenReason };

/** One entry, as it was and as it would be. */
export interface Replayed {
  readonly entry: Entry;
  /** `accept`, or a code. */
  readonly before: string;
  readonly after: ReplayVerdict;
  /** What it would be counted with. */
  readonly amount: { readonly currency: string; readonly minor: bigint } | null;
}

/** What a replay knows beside the log. */
export interface ReplaySetting {
  readonly passport: Passport;
  /** The RFC 8785 text of a passport under which an intent was judged; null when it is not known. */
  readonly judgedPassport: (hash: string) => string | null;
  readonly schemaProblems: SchemaCheck;
  /** True where hooks are set: what they would say of an intent that was refused before is not known. */
  readonly hooks: boolean;
  readonly unmeasured: Policy['unmeasured'];
}

/** Dialects whose entries hold all that their limits read: an envelope's own boundaries are in none. */
const WHOLE: ReadonlySet<Entry['dialect']> = new Set(['native']);
/** Codes of AIP-E2.. that say something else than what the passport allows. */
const HELD: ReadonlySet<string> = new Set(['AIP-E215', 'AIP-E216']);
const JUDGED_ANEW = /^AIP-E2\d\d$/;
const UNKNOWN_SENDER: ReadonlySet<string> = new Set(['AIP-E102', 'AIP-E103', 'AIP-E104']);

/** Replays entries of one agent, one after the other. */
export class Replay {
  readonly #setting: ReplaySetting;
  readonly #steps: HeldSteps;
  readonly #before = new Map<string, HeldSteps | null>();
  readonly #windows: PastWindows;

  constructor(setting: ReplaySetting) {
    this.#setting = setting;
    this.#steps = new HeldSteps(setting.passport, setting.unmeasured, setting.schemaProblems);
    this.#windows = new PastWindows(gaugesOf(setting.passport.constraints));
  }

  /** Fills the windows with an accepted entry from before the replay. */
  seed(entry: Entry): void {
    if (entry.status === 'success') this.#count(entry, true);
  }

  /** Judges one entry, and counts it where it is accepted. */
  next(entry: Entry): Replayed {
    const before = entry.status === 'success' ? 'accept' : (entry.error_code ?? 'unknown');
    const after = this.#verdictOf(entry, before);
    const usage = after.verdict === 'refused' ? this.#usageOf(entry) : this.#count(entry, after.verdict === 'accepted');
    const { currency, amountMinor } = usage;
    const amount =
      currency === null || amountMinor === null || amountMinor === 'unknown' ? null : { currency, minor: amountMinor };
    return { entry, before, after, amount };
  }

  #verdictOf(entry: Entry, before: string): ReplayVerdict {
    if (before !== 'accept') {
      const held = this.#heldRefusal(entry, before);
      if (held !== null) return held;
    }
    const judged = this.#judge(entry);
    if (before === 'accept') {
      if (judged.verdict !== 'refused' || judged.code !== 'AIP-E209') return judged;
      // A person had approved it then, and may again.
      const byPerson = entry.approval_request !== null || this.#refusedBefore(entry)?.entry.code === 'AIP-E209';
      return byPerson ? { verdict: 'open', reason: 'approval' } : judged;
    }
    if (judged.verdict !== 'accepted') return judged;
    if (!WHOLE.has(entry.dialect)) return { verdict: 'open', reason: 'envelope' };
    if (this.#setting.hooks || !before.startsWith('AIP-E')) return { verdict: 'open', reason: 'hook' };
    const asked = before === 'AIP-E209' && this.#beforeOf(entry) !== null;
    return asked && this.#refusedBefore(entry)?.entry.code !== 'AIP-E209'
      ? { verdict: 'open', reason: 'hook' }
      : judged;
  }

  /** The verdict where it does not depend on what the passport allows; null where it does. */
  #heldRefusal({ dialect }: Entry, code: string): ReplayVerdict | null {
    if (JUDGED_ANEW.test(code) && !HELD.has(code)) return null;
    // A hook's own code comes behind the limits.
    if (!code.startsWith('AIP-E')) return null;
    if (WHOLE.has(dialect) && UNKNOWN_SENDER.has(code)) return { verdict: 'open', reason: 'sender' };
    return { verdict: 'refused', code };
  }

  #judge(entry: Entry): ReplayVerdict {
    const at = parseTime(entry.timestamp) ?? 0;
    const params = entry.params ?? NO_PARAMS;
    const hidden = hiddenOf(entry);
    const country = geoOf(entry);
    const ask = (side: Side, shown = params, of = entry): EntryQuestion => ({
      ...{ entry: of, params: shown, at, geo: country ?? null },
      read: (meter: Meter, now: number) => this.#windows.read(meter, now, side),
    });
    const { limits, unseen, reason, schemaProblems } = this.#decidable(entry, hidden, country === undefined);
    const least = this.#steps.refusal(ask('least'), limits, schemaProblems);
    const doubt = this.#windows.takeDoubt();
    if (least !== null) return refused(least);
    if (reason !== null) {
      // What is seen may be too much already.
      const all = unseen.filter(({ kind }) => MORE_IS_WORSE.has(kind));
      const shown = hidden === null ? params : without(params, hidden);
      const seen = hidden?.target === true ? { ...entry, target: null } : entry;
      const beyond =
        all.length === 0 ? null : this.#steps.refusal(ask('least', shown, seen), { ...limits, all }, NO_PROBLEMS);
      return beyond === null ? { verdict: 'open', reason } : refused(beyond);
    }
    if (doubt && this.#steps.refusal(ask('most'), limits, schemaProblems) !== null)
      return { verdict: 'open', reason: 'window' };
    return { verdict: 'accepted' };
  }

  /** The limits that what the log shows decides, and why that is not all of them; null where it is. */
  #decidable(entry: Entry, hidden: Hidden | null, abroad: boolean): Decidable {
    const { constraints, actions } = this.#steps.passport;
    const nowhere = abroad && hasGeo(this.#steps.passport);
    if (hidden === null && !nowhere)
      return { limits: constraints, unseen: [], reason: null, schemaProblems: undefined };
    const previous = this.#beforeOf(entry);
    const schema = previous === null || !passedSchema(entry) ? null : schemaOf(previous.passport, entry);
    const unseen: Constraint[] = [];
    const all = constraints.all.filter((rule) => {
      const open = rule.kind === 'geo_restriction' ? nowhere : hidden !== null && couldRead(rule, hidden, schema);
      if (!open || (rule.actions !== null && !rule.actions.has(entry.action ?? ''))) return true;
      // The same rule let the same params pass; sums are another thing.
      const passed = entry.status === 'success' && previous?.has(this.#steps.keyOf(rule)) === true;
      if (!passed || rule.kind === 'daily_limit' || rule.kind === 'approval') unseen.push(rule);
      return false;
    });
    let reason: OpenReason | null = null;
    if (unseen.length > 0) reason = hidden?.reason ?? 'geo';
    if (hidden === null) return { limits: { ...constraints, all }, unseen, reason, schemaProblems: undefined };
    const own = actions.get(entry.action ?? '') ?? null;
    const same = own !== null && schema !== null && canonicalize(own) === canonicalize(schema);
    if (own !== null && !same) reason ??= hidden.reason;
    const schemaProblems: SchemaCheck = same ? NO_PROBLEMS : (each, shown) => this.#problemsShown(each, shown, hidden);
    return { limits: { ...constraints, all }, unseen, reason, schemaProblems };
  }

  /** What is wrong with what is shown, whatever the rest is. */
  #problemsShown(schema: JsonObject, params: JsonObject, { params: names }: Hidden): ReturnType<SchemaCheck> {
    if (names === null) return [];
    return this.#steps
      .schemaProblems(schema, params)
      .filter(({ path }) => path !== '' && !names.includes(path.split('.')[0]!));
  }

  /** What the passport of the time says of it, as if there were no approval and nothing had come before. */
  #refusedBefore(entry: Entry): Violation | null {
    const previous = this.#beforeOf(entry);
    if (previous === null) return null;
    const question: EntryQuestion = {
      ...{ entry, params: entry.params ?? NO_PARAMS, at: parseTime(entry.timestamp) ?? 0, geo: geoOf(entry) ?? null },
      read: (meter) => (meter.kind === 'sum' ? { kind: 'sum', spent: 0n } : { kind: 'count', used: 0, roomAt: null }),
    };
    const rules = previous.passport.constraints;
    return previous.refusal(question, { ...rules, all: rules.all.filter(({ kind }) => kind !== 'geo_restriction') });
  }

  #beforeOf({ passport_hash }: Entry): HeldSteps | null {
    if (passport_hash === null) return null;
    let known = this.#before.get(passport_hash);
    if (known === undefined) {
      const { judgedPassport, unmeasured, schemaProblems } = this.#setting;
      const text = judgedPassport(passport_hash);
      known = text === null ? null : new HeldSteps(readPassport(Buffer.from(text)), unmeasured, schemaProblems);
      this.#before.set(passport_hash, known);
    }
    return known;
  }

  #usageOf(entry: Entry): Pick<PastUsage, 'currency' | 'amountMinor'> {
    const hidden = hiddenOf(entry);
    const usage = this.#steps.usage(entry.params ?? NO_PARAMS);
    if (hidden === null) return usage;
    const previous = this.#beforeOf(entry);
    const schema = previous === null || !passedSchema(entry) ? null : schemaOf(previous.passport, entry);
    const { spends, currencyIn = [] } = this.#steps.passport.constraints;
    const money = { kind: 'daily_limit', limit: 0n, currency: '', currencyIn, source: spends, actions: null } as const;
    return couldRead(money, hidden, schema) ? { currency: null, amountMinor: 'unknown' } : usage;
  }

  #count(entry: Entry, certain: boolean): Pick<PastUsage, 'currency' | 'amountMinor'> {
    const usage = this.#usageOf(entry);
    this.#windows.add({ action: entry.action ?? '', at: parseTime(entry.timestamp) ?? 0, ...usage }, certain);
    return usage;
  }
}

/** What can be decided of an entry, a part of which is hidden. */
interface Decidable {
  readonly limits: Constraints;
  /** Rules that could have read what is hidden. */
  readonly unseen: readonly Constraint[];
  readonly reason: OpenReason | null;
  readonly schemaProblems: SchemaCheck | undefined;
}

/** Rules that a param more can break, and never satisfy. */
const MORE_IS_WORSE: ReadonlySet<Constraint['kind']> = new Set([
  ...(['monetary_limit', 'daily_limit', 'allowed_domains', 'allowed_values', 'denied_values', 'bound'] as const),
]);

function without(params: JsonObject, { params: names }: Hidden): JsonObject {
  return Object.assign(
    emptyObject(),
    Object.fromEntries(Object.entries(params).filter(([name]) => names?.includes(name) === false)),
  );
}

const NO_PARAMS: JsonObject = emptyObject();
const NO_PROBLEMS: SchemaCheck = () => [];

function refused({ entry: { code } }: Violation): ReplayVerdict {
  return { verdict: 'refused', code };
}

function hasGeo({ constraints }: Passport): boolean {
  return constraints.all.some(({ kind }) => kind === 'geo_restriction');
}

/** The country of the request, null where it was not given; undefined where the log does not say. */
function geoOf({ error_code, details }: Entry): string | null | undefined {
  if (error_code !== 'AIP-E214') return undefined;
  const requested: Json | undefined = details?.['requested'];
  return typeof requested === 'string' ? requested : null;
}

/** True when step 5 passed. */
function passedSchema({ status, error_code, dialect }: Entry): boolean {
  return status === 'success' || (WHOLE.has(dialect) && /^AIP-E(?:20[2-9]|21[234]|4\d\d)$/.test(error_code ?? ''));
}

function schemaOf({ actions }: Passport, { action }: Entry): JsonObject | null {
  return actions.get(action ?? '') ?? null;
}
