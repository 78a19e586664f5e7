/**
 * The windows of one agent while its log is replayed. What is accepted for certain and what may have been accepted are kept apart, so that a limit
 * can be read at its least and at its most: only where both give the same verdict is there one.
 */
import { holdsThing } from '../../protocol/constraints/counted-names.js';
import type { Constraints } from '../../protocol/constraints/rules.js';
import type { Meter, MeterReading, Usage } from '../../verify/meters.js';

/** An accepted intent. `amountMinor` is `unknown` where the log does not say how much it was. */
export interface PastUsage {
  readonly action: string;
  /** ms since the epoch. */
  readonly at: number;
  readonly currency: string | null;
  readonly amountMinor: Usage['amountMinor'] | 'unknown';
}

/** Which of the two readings is asked for. */
export type Side = 'least' | 'most';

const DAY_MS = 24 * 3_600_000;
/** What has left a window is forgotten by so many at once. */
const CUT = 16_384;
/** Left windows keep this long what has left them, in ms: clocks jump back. */
const SLACK_MS = 3_600_000;
/** More than any limit, in minor units. */
const BEYOND = 2n ** 64n;

/** What a meter counts or sums, whatever limit is asked about. */
export type Gauge =
  | Pick<Extract<Meter, { kind: 'count' }>, 'kind' | 'actions' | 'word' | 'windowMs'>
  | Pick<Extract<Meter, { kind: 'sum' }>, 'kind' | 'currency' | 'windowMs'>;

/** All that the checks of these constraints ask about. */
export function gaugesOf({ all }: Constraints): Gauge[] {
  return all.flatMap((rule): Gauge[] => {
    if (rule.kind === 'daily_limit') return [{ kind: 'sum', currency: rule.currency, windowMs: DAY_MS }];
    if (rule.kind !== 'rate') return [];
    const { action, thing, actions: scope, windowMs } = rule;
    const actions = action !== null ? [action] : thing === null && scope !== null ? [...scope] : null;
    return [{ kind: 'count', actions, word: thing, windowMs }];
  });
}

/** Sliding windows over what a replay accepts. A million usages take some megabytes: no more is kept of one than a window needs. */
export class PastWindows {
  readonly #spans = new Map<string, Span>();
  /** True once something was added that is not certain, or of an amount that is not known. */
  #doubtful = false;
  #asked = false;

  /** `gauges` are all that will be read. */
  constructor(gauges: readonly Gauge[]) {
    for (const gauge of gauges) this.#spans.set(keyOf(gauge), new Span(gauge));
  }

  /** Adds an accepted intent, or with `certain` false one that may have been. */
  add(usage: PastUsage, certain: boolean): void {
    this.#doubtful ||= !certain || usage.amountMinor === 'unknown';
    for (const span of this.#spans.values()) span.add(usage, certain);
  }

  /** True when a window was read since it was asked last, and what was counted is not all certain. */
  takeDoubt(): boolean {
    const asked = this.#asked;
    this.#asked = false;
    return asked && this.#doubtful;
  }

  /** As the state reads it: what lies after `now - windowMs`, also what lies after `now`. When there is room again changes no verdict. */
  read(meter: Meter, now: number, side: Side): MeterReading {
    this.#asked = true;
    const span = this.#spans.get(keyOf(meter));
    if (span === undefined) throw new Error('a window that no constraint of the passport has');
    return span.read(meter, now - meter.windowMs, side);
  }
}

function keyOf(meter: Gauge): string {
  return meter.kind === 'sum'
    ? `sum ${meter.windowMs} ${meter.currency}`
    : `count ${meter.windowMs} ${JSON.stringify([meter.actions, meter.word])}`;
}

/** What one meter counts. */
class Span {
  readonly #meter: Gauge;
  readonly #certain: Track;
  readonly #possible: Track;

  constructor(meter: Gauge) {
    this.#meter = meter;
    this.#certain = new Track(meter.kind === 'sum');
    this.#possible = new Track(meter.kind === 'sum');
  }

  add({ action, at, currency, amountMinor }: PastUsage, certain: boolean): void {
    const meter = this.#meter;
    if (meter.kind === 'count') {
      const counts =
        (meter.actions === null || meter.actions.includes(action)) &&
        (meter.word === null || holdsThing(action, meter.word));
      if (counts) (certain ? this.#certain : this.#possible).add(at, 0n);
    } else if (amountMinor === 'unknown') this.#possible.add(at, BEYOND);
    else if (amountMinor !== null && currency === meter.currency)
      (certain ? this.#certain : this.#possible).add(at, amountMinor);
  }

  read(meter: Meter, after: number, side: Side): MeterReading {
    const [certain, possible] = [this.#certain.since(after), this.#possible.since(after)];
    const most = side === 'most';
    if (meter.kind === 'sum') return { kind: 'sum', spent: certain.sum + (most ? possible.sum : 0n) };
    return { kind: 'count', used: certain.count + (most ? possible.count : 0), roomAt: null };
  }
}

/** The largest amount that a double holds. */
const MOST_EXACT = BigInt(Number.MAX_SAFE_INTEGER);
/** Rooms of a new list; it doubles when it is full. */
const ROOM = 1024;

/**
 * Moments in order, with amounts where they are summed; those before `#from` have left the window. As numbers beside each other a million of them are
 * some megabytes, which no collector has to look through.
 */
class Track {
  #at = new Float64Array(ROOM);
  /** As `#written` puts them; null where they are not summed. */
  #amounts: Float64Array | null;
  readonly #large: bigint[] = [];
  #size = 0;
  #from = 0;
  #sum = 0n;

  constructor(summed: boolean) {
    this.#amounts = summed ? new Float64Array(ROOM) : null;
  }

  add(at: number, amount: bigint): void {
    if (this.#size === this.#at.length) this.#grow();
    // Clocks jump: nearly always the last place.
    let place = this.#size;
    while (place > 0 && this.#at[place - 1]! > at) place -= 1;
    this.#at.copyWithin(place + 1, place, this.#size);
    this.#at[place] = at;
    if (this.#amounts !== null) {
      this.#amounts.copyWithin(place + 1, place, this.#size);
      this.#amounts[place] = this.#written(amount);
    }
    this.#size += 1;
    if (place < this.#from) this.#from += 1;
    else this.#sum += amount;
  }

  since(after: number): { readonly count: number; readonly sum: bigint } {
    for (; this.#from < this.#size && this.#at[this.#from]! <= after; this.#from++)
      this.#sum -= this.#amount(this.#from);
    for (; this.#from > 0 && this.#at[this.#from - 1]! > after; this.#from--) this.#sum += this.#amount(this.#from - 1);
    if (this.#from >= CUT) this.#forget(after - SLACK_MS);
    return { count: this.#size - this.#from, sum: this.#sum };
  }

  /** As a double; one that it cannot hold as its place in `#large`, from -1 down. */
  #written(amount: bigint): number {
    if (amount >= 0n && amount <= MOST_EXACT) return Number(amount);
    if (this.#large.at(-1) !== amount) this.#large.push(amount);
    return -this.#large.length;
  }

  #amount(place: number): bigint {
    const held = this.#amounts?.[place] ?? 0;
    return held < 0 ? this.#large[-held - 1]! : BigInt(held);
  }

  #grow(): void {
    const larger = (list: Float64Array): Float64Array<ArrayBuffer> => {
      const copy = new Float64Array(list.length * 2);
      copy.set(list);
      return copy;
    };
    this.#at = larger(this.#at);
    if (this.#amounts !== null) this.#amounts = larger(this.#amounts);
  }

  #forget(before: number): void {
    let gone = 0;
    while (gone < this.#from && this.#at[gone]! < before) gone += 1;
    if (gone < CUT / 2) return;
    this.#at.copyWithin(0, gone, this.#size);
    this.#amounts?.copyWithin(0, gone, this.#size);
    this.#size -= gone;
    this.#from -= gone;
  }
}
