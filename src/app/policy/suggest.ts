/**
 * The narrowest passport under which all that an agent was allowed in a time would be allowed again, drafted from the log. What was refused teaches
 * nothing, and nothing becomes wider than in the passport of today: an agent that was tricked widens nothing.
 */
import type { JsonObject } from '../../protocol/json/values.js';
import { parseTime } from '../../protocol/time.js';
import { Failure } from '../failure.js';
import { nextSerial } from '../passports/floors.js';
import type { State } from '../ports/state.js';
import { takesPlace } from '../../protocol/log/attribution.js';
import type { Passport } from '../../protocol/passport.js';
import { UsageEvidence } from './evidence.js';
import {
  moneyLimitsFound,
  narrowed,
  narrowingOf,
  readable,
  withMoneyLimits,
  type KeptMember,
  type Narrowed,
  type Narrowing,
  type Today,
} from './narrowing.js';
import { LONGEST_WINDOW_MS, replayLog, type ReplayReport } from './replay-report.js';
import type { Replayed, ReplaySetting } from './replay.js';
import { standIn } from './stand-in.js';

/** A draft, and what it was made from. */
export interface Suggestion {
  /** Accepted entries of that time. */
  readonly accepted: number;
  /** Those of them that the passport of today refuses. */
  readonly refused_today: number;
  /** ms since the epoch, of the first and the last accepted entry that something was learned from. */
  readonly first: number;
  readonly last: number;
  /** Refused entries by code. */
  readonly refused: Readonly<Record<string, number>>;
  readonly narrower: readonly Narrowed[];
  readonly kept: readonly KeptMember[];
  /** The same log under the draft. */
  readonly replay: ReplayReport;
  /** The next serial, unsigned. */
  readonly passport: JsonObject;
}

/** What a suggestion is made from: the log, and the passport as it is. */
export type SuggestSetting = Omit<ReplaySetting, 'passport'> & Today;

/** Where it is read from, and when. */
interface Source {
  readonly log: Pick<State, 'entries' | 'floors'>;
  readonly setting: SuggestSetting;
  readonly span: Parameters<typeof replayLog>[2];
  readonly pause: Parameters<typeof replayLog>[3];
}

const PAUSE_EVERY = 2000;

/**
 * Drafts a passport from what the log holds between two moments (ms since the epoch; null for its ends). Nothing is signed, written or counted.
 * @throws Failure NOT_FOUND where nothing was accepted in that time that the passport of today accepts
 */
export async function suggestPassport(source: Source): Promise<Suggestion> {
  const { log, setting } = source;
  const { passport, json } = setting;
  const today = await verdictsOfToday(source);
  const evidence = await evidenceOf(passport, source, today);
  const { first, last } = evidence;
  if (first === null || last === null) throw nothingAccepted(passport, today.accepted);
  const drafted = readable(setting, await narrowingFrom(evidence, source, today));
  const { narrower, kept, replay } = await proved(drafted, source, today);
  const { issuer_signature: _, ...unsigned } = narrowed(json, narrower);
  return {
    ...{ accepted: today.accepted, refused_today: today.refused.size, first, last },
    ...{ refused: Object.fromEntries(today.codes), narrower, kept, replay },
    passport: { ...unsigned, serial: nextSerial(log.floors(passport.agent.id), passport.serial) },
  };
}

/** What the passport of today says of the log. */
interface TodaysVerdicts {
  accepted: number;
  /** Entries that were accepted, and would not be: by `seq`. */
  readonly refused: Set<number>;
  /** Entries that were accepted, and have no verdict: by `seq`. */
  readonly open: Set<number>;
  /** How many were refused in the log, by code. */
  readonly codes: Map<string, number>;
}

async function verdictsOfToday({ log, setting, span, pause }: Source): Promise<TodaysVerdicts> {
  const today: TodaysVerdicts = { accepted: 0, refused: new Set(), open: new Set(), codes: new Map() };
  await replayLog(log, setting, span, pause, ({ entry: { seq }, before, after: { verdict } }) => {
    if (before !== 'accept') return void today.codes.set(before, (today.codes.get(before) ?? 0) + 1);
    today.accepted += 1;
    if (verdict === 'refused') today.refused.add(seq);
    else if (verdict === 'open') today.open.add(seq);
  });
  return today;
}

/** What the accepted entries needed of a passport. Windows begin with what was accepted before. */
async function evidenceOf(
  passport: Passport,
  { log, setting, span: { since, until }, pause }: Source,
  { refused }: TodaysVerdicts,
): Promise<UsageEvidence> {
  const evidence = new UsageEvidence(passport, setting.judgedPassport);
  const agentId = passport.agent.id;
  const from = since === null ? {} : { since: since - LONGEST_WINDOW_MS };
  let done = 0;
  for (const entry of log.entries({ agentId, status: 'success', ...from, ...(until === null ? {} : { until }) })) {
    if (!takesPlace(entry)) continue;
    const inTime = since === null || (parseTime(entry.timestamp) ?? 0) >= since;
    evidence.add(entry, inTime && !refused.has(entry.seq));
    done += 1;
    if (done % PAUSE_EVERY === 0) await pause(done);
  }
  return evidence;
}

async function narrowingFrom(evidence: UsageEvidence, source: Source, today: TodaysVerdicts): Promise<Narrowing> {
  const { setting } = source;
  const { narrower, kept } = narrowingOf(setting, evidence);
  const augmented = withMoneyLimits(setting, evidence);
  if (augmented === null) return { narrower, kept };
  const money = await evidenceOf(standIn(augmented, false), source, today);
  const found = moneyLimitsFound(setting, augmented, money);
  return { narrower: [...narrower, ...found.narrower], kept: [...kept, ...found.kept] };
}

/** Judges the draft by a replay; what would refuse an accepted entry goes back to what it is today, until there is none. */
async function proved(
  drafted: Narrowing,
  { log, setting, span, pause }: Source,
  today: TodaysVerdicts,
): Promise<Narrowing & Pick<Suggestion, 'replay'>> {
  let { narrower, kept } = drafted;
  for (;;) {
    const passport = standIn(narrowed(setting.json, narrower), false);
    const lost = new Map<Narrowed, string>();
    const replay = await replayLog(log, { ...setting, passport }, span, pause, (found) => {
      const why = lostBy(found, today);
      if (why === null) return;
      for (const each of responsible(narrower, found)) lost.set(each, why);
    });
    if (lost.size === 0) return { narrower, kept, replay };
    kept = [...kept, ...[...lost].map(([{ path }, why]) => ({ path, why: `narrower, it ${why}` }))];
    narrower = narrower.filter((each) => !lost.has(each));
  }
}

/** In which way an accepted entry is accepted no longer; null where it is. */
function lostBy({ entry: { seq }, before, after }: Replayed, { refused, open }: TodaysVerdicts): string | null {
  if (before !== 'accept' || refused.has(seq)) return null;
  if (after.verdict === 'refused') return `would refuse what was accepted (${after.code})`;
  // What the log does not show may have been more; a window that may hold more than was accepted held what was.
  const isHidden = after.verdict === 'open' && after.reason.startsWith('params_') && !open.has(seq);
  return isHidden ? 'may refuse what was accepted, as the log does not show all of it' : null;
}

const BY_CODE: Readonly<Record<string, RegExp>> = {
  'AIP-E202': /^constraints\.(?:monetary_limit|currency)$/,
  'AIP-E203': /^constraints\.allowed_domains$/,
  'AIP-E205': /^constraints\.(?:rate_limit|max_.*_per_.*)$/,
  'AIP-E212': /^constraints\.daily_limit$/,
};

/** The changes behind a verdict; all of them where none can be told. */
function responsible(narrower: readonly Narrowed[], { entry, after }: Replayed): readonly Narrowed[] {
  const pattern = after.verdict === 'refused' ? BY_CODE[after.code] : undefined;
  const action = `actions.${entry.action}`;
  const meant = narrower.filter(({ path }) => (pattern === undefined ? path === action : pattern.test(path)));
  const limits = meant.length > 0 ? meant : narrower.filter(({ path }) => path.startsWith('constraints.'));
  const some = limits.length > 0 ? limits : narrower;
  // New limits on money share a currency.
  const isNew = ({ path, before }: Narrowed): boolean => before === null && path.startsWith('constraints.');
  return some.some(isNew) ? narrower.filter((each) => some.includes(each) || isNew(each)) : some;
}

function nothingAccepted({ agent: { id, name } }: Passport, accepted: number): Failure {
  if (accepted === 0)
    return new Failure(
      'NOT_FOUND',
      `The log holds nothing of ${id} that was accepted in that time: nothing says what it needs.`,
      {
        hint: `a longer --since, on the machine that verifies; what it holds: aip logs tail --agent ${name}`,
      },
    );
  return new Failure('NOT_FOUND', `This passport of ${id} refuses all ${accepted} that were accepted in that time.`, {
    hint: `aip policy replay -p ${name}`,
  });
}
