/** Values that an admin had taken out of shipped logs: out of what the mesh holds, and out of what is shipped later though it was made before. */
import type { LogRecord } from '../../protocol/log/entry.js';
import { decisionWithout, outcomeWithout } from '../../protocol/log/erased.js';
import { parseTime } from '../../protocol/time.js';
import type { PaperTable, ShippedEntry } from './store.js';

/** The kind of the papers that hold the mesh's word on each. */
export const ERASURE_PAPER = 'log-erasure';

/** What is to go: a param of an agent's entries, or of one entry of a log, or all params of it. */
export interface ErasureOrder {
  readonly agentId: string | null;
  /** Exclusive, ms since the epoch; null for all. */
  readonly before: number | null;
  readonly logId: string | null;
  readonly seq: number | null;
  readonly param: string | null;
}

/**
 * What is left of an entry of the log `logId`; null where nothing is taken from it. An outcome comes after its decision; `decisions` collects
 * those that lost something.
 */
export function leftBy(
  order: ErasureOrder,
  record: LogRecord,
  logId: string,
  decisions: Set<string>,
): LogRecord | null {
  if (record.type === 'outcome')
    return decisions.has(`${logId} ${record.of}`) && record.erased === null ? outcomeWithout(record) : null;
  if (order.seq !== null && record.seq !== order.seq) return null;
  if (order.before !== null && !((parseTime(record.timestamp) ?? 0) < order.before)) return null;
  const left = decisionWithout(record, order.param);
  if (left !== null) decisions.add(`${logId} ${record.seq}`);
  return left;
}

/** An order, and when it was given: what was made later is not meant. */
interface Given {
  readonly order: ErasureOrder;
  /** ms since the epoch. */
  readonly at: number;
}

/** What is known of the clock of a machine that ships, in ms since the epoch. */
export interface ShippingTimes {
  /** By the mesh's clock. */
  readonly receivedAt: number;
  /** By the verifier's; null where it does not say. */
  readonly sentAt: number | null;
}

/** How long a shipment may have been on its way, in ms: without it a clock would look by that much less ahead than it is. */
const ON_ITS_WAY_MS = 15_000;

/** Papers are looked for as far back, in ms: another server on the store may have another clock. */
const OVERLAP_MS = 10 * 60_000;

/** All erasures that the mesh keeps its word on. */
export class KeptErasures {
  readonly #papers: Pick<PaperTable, 'list'>;
  /** By the id of the paper. */
  readonly #given = new Map<string, Given>();
  #newest = 0;

  constructor(papers: Pick<PaperTable, 'list'>) {
    this.#papers = papers;
  }

  /** From now on nothing comes in that `order` takes out, if it was made before `at`. `id`: of the paper that will say so. */
  add(id: string, order: ErasureOrder, at: number): void {
    this.#given.set(id, { order, at });
  }

  /** The entries of a shipment, in order, without what was to be erased: hashes and chain are as they were. */
  async leftOf(
    logId: string,
    entries: readonly ShippedEntry[],
    times: ShippingTimes,
  ): Promise<readonly ShippedEntry[]> {
    await this.#learn();
    const made = madeAtLatest(entries, times);
    let left = entries;
    for (const given of this.#given.values()) left = leftOfShipment(given, logId, left, made);
    return left;
  }

  async #learn(): Promise<void> {
    for (const { id, changedAt, text } of await this.#papers.list(ERASURE_PAPER, this.#newest - OVERLAP_MS)) {
      this.#newest = Math.max(this.#newest, changedAt);
      if (!this.#given.has(id)) this.#given.set(id, givenIn(JSON.parse(text) as Record<string, unknown>));
    }
  }
}

/**
 * When each entry was made at the latest, in ms since the epoch: a clock that is ahead dates what was made before an erasure behind it. How far ahead
 * it is says the time of sending, and an entry that is dated after its arrival; and no entry was made later than one that follows it.
 */
function madeAtLatest(entries: readonly ShippedEntry[], { receivedAt, sentAt }: ShippingTimes): Map<number, number> {
  const ahead = Math.max(sentAt ?? 0, ...entries.map(({ at }) => at)) - receivedAt;
  const wrong = ahead > 0 ? ahead + ON_ITS_WAY_MS : 0;
  let latest = Infinity;
  return new Map(entries.toReversed().map(({ seq, at }) => [seq, (latest = Math.min(latest, at - wrong))]));
}

function leftOfShipment(
  { order, at }: Given,
  logId: string,
  entries: readonly ShippedEntry[],
  made: ReadonlyMap<number, number>,
) {
  const isMeant = (entry: ShippedEntry): boolean =>
    made.get(entry.seq)! < at && (order.logId ?? logId) === logId && (order.agentId ?? entry.agentId) === entry.agentId;
  if (!entries.some(isMeant)) return entries;
  const decisions = new Set<string>();
  const first = entries[0]!.seq;
  return entries.map((entry) => {
    if (!isMeant(entry)) return entry;
    const record = JSON.parse(entry.text) as LogRecord;
    // Its decision came in an earlier shipment, and what is known of it here is not looked up: one of the agent goes in any case.
    if (record.type === 'outcome' && record.of < first && (order.seq ?? record.of) === record.of)
      decisions.add(`${logId} ${record.of}`);
    const left = leftBy(order, record, logId, decisions);
    return left === null ? entry : { ...entry, text: JSON.stringify(left) };
  });
}

function givenIn(statement: Record<string, unknown>): Given {
  const text = (name: string): string | null => {
    const value = statement[name];
    if (value !== null && typeof value !== 'string') throw new Error(`"${name}" of an erasure is not text`);
    return value;
  };
  const { seq } = statement;
  const [before, at] = [text('before'), parseTime(text('time') ?? '')];
  const until = before === null ? null : parseTime(before);
  if (at === null || (before !== null && until === null) || (seq !== null && typeof seq !== 'number'))
    throw new Error('an erasure that was kept cannot be read');
  return { order: { agentId: text('agent_id'), logId: text('log_id'), param: text('param'), before: until, seq }, at };
}
