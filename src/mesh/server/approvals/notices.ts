/** The last notices of requests for approval, for the servers that follow this one: a stream tells its own readers, a region asks. */

/** As many are kept: what a region misses, its verifiers find by looking. */
const MOST_KEPT_NOTICES = 256;

/** Notices after some count, and the count of all. */
export interface NoticesSince {
  readonly count: number;
  /** JSON texts, the oldest first. */
  readonly notices: readonly string[];
}

/** Counts what was told, and keeps the end of it. */
export class ApprovalNotices {
  readonly #kept: string[] = [];
  count = 0;

  /** Gives the notice back. */
  add(notice: string): string {
    this.count++;
    this.#kept.push(notice);
    if (this.#kept.length > MOST_KEPT_NOTICES) this.#kept.shift();
    return notice;
  }

  /** Nothing after a count that is still to come: this process counts anew. */
  since(count: number): NoticesSince {
    const missed = Math.min(Math.max(0, this.count - count), this.#kept.length);
    return { count: this.count, notices: missed === 0 ? [] : this.#kept.slice(-missed) };
  }
}
