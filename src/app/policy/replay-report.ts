/** What a replay of the log found, in counts and money. */
import { jsonOfMinor } from '../../protocol/constraints/money.js';
import { isCounted, takesPlace } from '../../protocol/log/attribution.js';
import type { State } from '../ports/state.js';
import { Replay, type OpenReason, type Replayed, type ReplaySetting } from './replay.js';

/** Entries of one kind of change. */
export interface ReplayGroup {
  readonly count: number;
  /** By currency, in its major units. */
  readonly money: Readonly<Record<string, number | string>>;
  /** By what decides: the code that refuses, or that refused; of what is not decidable the reason. */
  readonly by: Readonly<Record<string, number>>;
  /** The first few. */
  readonly examples: readonly ReplayExample[];
}

/** One entry that changes. */
export interface ReplayExample {
  readonly seq: number;
  readonly timestamp: string;
  readonly action: string | null;
  /** `accept`, or a code. */
  readonly before: string;
  /** The same; null where it is not decidable. */
  readonly after: string | null;
}

/** The whole answer. */
export interface ReplayReport {
  readonly total: number;
  /** Accepted entries from before, in the windows at the start. */
  readonly seeded: number;
  readonly refused_to_accepted: ReplayGroup;
  readonly accepted_to_refused: ReplayGroup;
  readonly unchanged: ReplayGroup & {
    readonly accepted: number;
    readonly refused: number;
    /** Refused as before, with another code. */
    readonly other_code: number;
  };
  readonly not_decidable: ReplayGroup & { readonly by: Readonly<Partial<Record<OpenReason, number>>> };
}

const EXAMPLES = 5;
const PAUSE_EVERY = 2000;
/** The longest window of a passport, in ms. */
export const LONGEST_WINDOW_MS = 24 * 3_600_000;

class Group {
  count = 0;
  readonly by = new Map<string, number>();
  readonly examples: ReplayExample[] = [];
  readonly #money = new Map<string, bigint>();

  add({ entry, before, after, amount }: Replayed, by: string): void {
    this.count += 1;
    this.by.set(by, (this.by.get(by) ?? 0) + 1);
    if (amount !== null) this.#money.set(amount.currency, (this.#money.get(amount.currency) ?? 0n) + amount.minor);
    if (this.examples.length >= EXAMPLES) return;
    const { seq, timestamp, action } = entry;
    const now = after.verdict === 'accepted' ? 'accept' : after.verdict === 'refused' ? after.code : null;
    this.examples.push({ seq, timestamp, action, before, after: now });
  }

  report(): ReplayGroup {
    const money = [...this.#money].map(([currency, minor]) => [currency, jsonOfMinor(minor, currency)] as const);
    const by = [...this.by].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
    return {
      count: this.count,
      money: Object.fromEntries(money),
      by: Object.fromEntries(by),
      examples: this.examples,
    };
  }
}

/**
 * Replays what the log holds of the passport's agent between two moments (ms since the epoch; null for its ends). `pause` is called between
 * slices, `seen` with each entry and its verdict. Nothing is written.
 */
export async function replayLog(
  log: Pick<State, 'entries'>,
  setting: ReplaySetting,
  span: { readonly since: number | null; readonly until: number | null },
  pause: (done: number) => Promise<void>,
  seen: (found: Replayed) => void = () => undefined,
): Promise<ReplayReport> {
  const replay = new Replay(setting);
  const agentId = setting.passport.agent.id;
  const { since, until } = span;
  let seeded = 0;
  if (since !== null) {
    const before = { agentId, status: 'success' as const, since: since - LONGEST_WINDOW_MS, until: since };
    for (const entry of log.entries(before)) {
      if (takesPlace(entry)) replay.seed(entry);
      seeded += 1;
      if (seeded % PAUSE_EVERY === 0) await pause(0);
    }
  }
  const [wider, narrower, unchanged, open] = [new Group(), new Group(), new Group(), new Group()];
  let [total, accepted, otherCode] = [0, 0, 0];
  const query = { agentId, ...(since === null ? {} : { since }), ...(until === null ? {} : { until }) };
  for (const entry of log.entries(query)) {
    // What goes on with a call was that call, and asks for no second verdict.
    if (!isCounted(entry) || !takesPlace(entry)) continue;
    const found = replay.next(entry);
    seen(found);
    const { before, after } = found;
    total += 1;
    if (after.verdict === 'open') open.add(found, after.reason);
    else if (after.verdict === 'accepted') {
      if (before === 'accept') accepted += 1;
      (before === 'accept' ? unchanged : wider).add(found, before);
    } else {
      if (before !== 'accept' && before !== after.code) otherCode += 1;
      (before === 'accept' ? narrower : unchanged).add(found, after.code);
    }
    if (total % PAUSE_EVERY === 0) await pause(total);
  }
  const refused = unchanged.count - accepted;
  return {
    total,
    seeded,
    refused_to_accepted: wider.report(),
    accepted_to_refused: narrower.report(),
    unchanged: { ...unchanged.report(), accepted, refused, other_code: otherCode },
    not_decidable: open.report(),
  };
}
