import type { Standing } from '../standing.js';

/** Slots looked at for one subject: names that were chosen to collide must not make every check slow. */
const MAX_PROBES = 32;

/**
 * Standings by subject, for a million of them: open addressing in one flat array, so that an agent without any order costs one
 * access to memory, where a Map takes several.
 */
export class StandingIndex {
  /** Pairs of a hash and a place in the lists below; place 0 is an empty slot. At most half of them are taken. */
  #slots = new Int32Array(2 * 64);
  readonly #subjects: string[] = [''];
  readonly #standings: Standing[] = [];
  /** Places of what found no slot near its own. */
  readonly #outliers = new Map<string, number>();

  constructor(standings: Iterable<Standing> = []) {
    for (const standing of standings) this.set(standing);
  }

  get size(): number {
    return this.#standings.length;
  }

  values(): Iterable<Standing> {
    return this.#standings;
  }

  get(subject: string): Standing | undefined {
    const place = this.#placeOf(subject, hashOf(subject));
    return place === 0 ? undefined : this.#standings[place - 1];
  }

  set(standing: Standing): void {
    const { subject } = standing;
    const hash = hashOf(subject);
    const known = this.#placeOf(subject, hash);
    if (known !== 0) {
      this.#standings[known - 1] = standing;
      return;
    }
    const place = this.#standings.push(standing);
    this.#subjects.push(subject);
    if (4 * place > this.#slots.length) this.#grow();
    else this.#take(subject, hash, place);
  }

  #placeOf(subject: string, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let at = (2 * hash) & mask;
    for (let probe = 0; probe < MAX_PROBES; probe++) {
      const place = slots[at + 1]!;
      if (place === 0) return 0;
      if (slots[at] === hash && this.#subjects[place] === subject) return place;
      at = (at + 2) & mask;
    }
    return this.#outliers.get(subject) ?? 0;
  }

  #take(subject: string, hash: number, place: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let at = (2 * hash) & mask;
    for (let probe = 0; probe < MAX_PROBES; probe++) {
      if (slots[at + 1] === 0) {
        slots[at] = hash;
        slots[at + 1] = place;
        return;
      }
      at = (at + 2) & mask;
    }
    this.#outliers.set(subject, place);
  }

  #grow(): void {
    this.#slots = new Int32Array(2 * this.#slots.length);
    this.#outliers.clear();
    for (let place = 1; place < this.#subjects.length; place++) {
      const subject = this.#subjects[place]!;
      this.#take(subject, hashOf(subject), place);
    }
  }
}

/** FNV-1a over code units, with its high bits mixed into the low ones that choose the slot. */
function hashOf(subject: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < subject.length; i++) hash = Math.imul(hash ^ subject.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}
