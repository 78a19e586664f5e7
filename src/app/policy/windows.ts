/**
 * The windows of one agent while its log is replayed. What is accepted for certain and what may have been accepted are kept apart, so that a limit
 * can be read at its least and at its most: only where both give the same verdict is there one.
 */
import { holdsThing } from '../../protocol/constraints/counted-names.js';
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

/** As the state keeps them: the longest window is a day, and clocks may disagree by another. In ms. */
const KEPT_MS = 48 * 3_600_000;
/** Usages are forgotten by so many at once. */
const CUT = 65_536;
/** More than any limit, in minor units. */
const BEYOND = 2n ** 64n;

interface Kept {
  readonly usage: PastUsage;
  readonly certain: boolean;
}

/** Sliding windows over what a replay accepts. */
export class PastWindows {
  #kept: Kept[] = [];
  readonly #spans = new Map<string, Span>();
  /** Usages that are not certain, or of an amount that is not known. */
  #doubtful = 0;
  #asked = false;

  /** Adds an accepted intent, or with `certain` false one that may have been. */
  add(usage: PastUsage, certain: boolean): void {
    const kept = { usage, certain };
    this.#kept.push(kept);
    if (!certain || usage.amountMinor === 'unknown') this.#doubtful += 1;
    for (const span of this.#spans.values()) span.add(kept);
    if (this.#kept.length >= 2 * CUT) this.#forget(usage.at - KEPT_MS);
  }

  /** True when a window was read since it was asked last, and what it holds is not all certain. */
  takeDoubt(): boolean {
    const asked = this.#asked;
    this.#asked = false;
    return asked && this.#doubtful > 0;
  }

  /** As the state reads it: what lies after `now - windowMs`, also what lies after `now`. */
  read(meter: Meter, now: number, side: Side): MeterReading {
    this.#asked = true;
    const span = this.#spanOf(meter);
    span.move(now - meter.windowMs);
    return span.reading(meter, side);
  }

  #spanOf(meter: Meter): Span {
    const key =
      meter.kind === 'sum'
        ? `sum ${meter.windowMs} ${meter.currency}`
        : `count ${meter.windowMs} ${JSON.stringify([meter.actions, meter.word])}`;
    let span = this.#spans.get(key);
    if (span === undefined) {
      this.#spans.set(key, (span = new Span(meter)));
      for (const each of this.#kept) span.add(each);
    }
    return span;
  }

  #forget(before: number): void {
    this.#kept = this.#kept.filter(({ usage }) => usage.at >= before);
    this.#doubtful = this.#kept.filter(({ usage, certain }) => !certain || usage.amountMinor === 'unknown').length;
    for (const span of this.#spans.values()) span.forget(before);
  }
}

/** What one meter counts, by time; those before `#from` have left its window. */
class Span {
  readonly #counts: (usage: PastUsage) => boolean;
  #kept: Kept[] = [];
  #from = 0;
  #certain = 0;
  #possible = 0;
  #spent = 0n;
  #maybeSpent = 0n;

  constructor(meter: Meter) {
    this.#counts =
      meter.kind === 'sum'
        ? ({ currency, amountMinor }) => amountMinor !== null && (currency === meter.currency || currency === null)
        : ({ action }) =>
            (meter.actions === null || meter.actions.includes(action)) &&
            (meter.word === null || holdsThing(action, meter.word));
  }

  add(kept: Kept): void {
    if (!this.#counts(kept.usage)) return;
    // Clocks jump: nearly always the last place.
    let place = this.#kept.length;
    while (place > 0 && this.#kept[place - 1]!.usage.at > kept.usage.at) place -= 1;
    if (place === this.#kept.length) this.#kept.push(kept);
    else this.#kept.splice(place, 0, kept);
    if (place < this.#from) this.#from += 1;
    else this.#count(kept, 1);
  }

  /** Lets the window begin behind `after`. */
  move(after: number): void {
    for (; this.#from < this.#kept.length && this.#kept[this.#from]!.usage.at <= after; this.#from++)
      this.#count(this.#kept[this.#from]!, -1);
    for (; this.#from > 0 && this.#kept[this.#from - 1]!.usage.at > after; this.#from--)
      this.#count(this.#kept[this.#from - 1]!, 1);
  }

  reading(meter: Meter, side: Side): MeterReading {
    if (meter.kind === 'sum')
      return { kind: 'sum', spent: side === 'least' ? this.#spent : this.#spent + this.#maybeSpent };
    const used = side === 'least' ? this.#certain : this.#certain + this.#possible;
    // When there is room again changes no verdict.
    return { kind: 'count', used, roomAt: null };
  }

  forget(before: number): void {
    const gone = this.#kept.findIndex(({ usage }) => usage.at >= before);
    const cut = Math.min(this.#from, gone === -1 ? this.#kept.length : gone);
    this.#kept.splice(0, cut);
    this.#from -= cut;
  }

  #count({ usage, certain }: Kept, by: 1 | -1): void {
    if (certain) this.#certain += by;
    else this.#possible += by;
    const { amountMinor } = usage;
    if (amountMinor === null) return;
    const amount = (amountMinor === 'unknown' ? BEYOND : amountMinor) * BigInt(by);
    if (certain && amountMinor !== 'unknown') this.#spent += amount;
    else this.#maybeSpent += amount;
  }
}
