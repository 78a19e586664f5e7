/** What a following server tells home of those who listen to it: their own signed words, as they came. */
import type { Applied, VerifierCard } from '../../../mesh/roster/member.js';
import { Unreachable, type MeshHttp } from '../../http/mesh-client.js';
import { homeDocument } from './answers.js';

/** Words in one report, and names in one. */
const MOST_WORDS = 300;
const MOST_NAMES = 3_000;
/** Who is here is said this often, ms: home forgets those of a region that is silent for three heartbeats. */
const PRESENT_MS = 2_000;

interface Listening {
  card: VerifierCard | null;
  applied: Applied | null;
}

/** Collects the words and sends them, one report at a time. */
export class Reports {
  readonly #http: MeshHttp;
  readonly #onRefused: (verifier: string) => void;
  readonly #listening = new Map<string, Listening>();
  readonly #news = new Set<string>();
  readonly #gone = new Set<string>();
  #sending = false;
  #due = false;
  #timer: NodeJS.Timeout | null = null;

  /** `onRefused` is told of a verifier that home does not let in. */
  constructor(http: MeshHttp, onRefused: (verifier: string) => void) {
    this.#http = http;
    this.#onRefused = onRefused;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#send([...this.#listening.keys()]), PRESENT_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  heard(verifier: string, word: { readonly card?: VerifierCard; readonly applied?: Applied } | null): void {
    if (word === null) {
      this.#listening.delete(verifier);
      this.#news.delete(verifier);
      this.#gone.add(verifier);
    } else {
      const known = this.#listening.get(verifier) ?? { card: null, applied: null };
      const { card = known.card, applied = known.applied } = word;
      this.#listening.set(verifier, { card, applied });
      this.#news.add(verifier);
      this.#gone.delete(verifier);
    }
    // What else arrives in this turn goes with it.
    if (this.#due) return;
    this.#due = true;
    setImmediate(() => {
      this.#due = false;
      void this.#send([]);
    });
  }

  async #send(present: readonly string[]): Promise<void> {
    // What waits is in `news`; who is present is said again soon.
    if (this.#sending || this.#timer === null) return;
    this.#sending = true;
    try {
      let names = [...present];
      do {
        const words = [...this.#news].slice(0, MOST_WORDS);
        const gone = [...this.#gone].slice(0, MOST_NAMES);
        if (words.length + gone.length + names.length === 0) break;
        const told = await this.#tell(words, names.slice(0, MOST_NAMES), gone);
        if (told === null) break;
        for (const name of gone) this.#gone.delete(name);
        names = names.slice(MOST_NAMES);
        for (const name of told.unknown) if (this.#listening.has(name)) this.#news.add(name);
        for (const name of told.refused) this.#onRefused(name);
      } while (this.#news.size + this.#gone.size + names.length > 0);
    } finally {
      this.#sending = false;
    }
  }

  async #tell(
    words: readonly string[],
    present: readonly string[],
    gone: readonly string[],
  ): Promise<{ readonly unknown: readonly string[]; readonly refused: readonly string[] } | null> {
    const verifiers = words.flatMap((name) => {
      const { card, applied } = this.#listening.get(name) ?? { card: null, applied: null };
      return card === null ? [] : [{ card, applied }];
    });
    for (const name of words) this.#news.delete(name);
    const body = Buffer.from(JSON.stringify({ verifiers, present, gone }));
    const target = '/v1/mesh/region/report';
    try {
      const { status, body: text } = await this.#http.ask({
        ...{ method: 'POST', target, body },
        ...{ timeoutMs: 5_000, maxBytes: 1024 * 1024 },
      });
      const heard = status === 200 ? homeDocument('RegionReported', text) : null;
      return heard === null ? null : { unknown: heard.unknown, refused: heard.refused.map(({ verifier }) => verifier) };
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      // Home asks for it again: it does not know them any more.
      return null;
    }
  }
}
