/** Shipped verification logs in memory. */
import { ruleShipment } from '../../../../src/mesh/log/shipping.js';
import type {
  LogEnd,
  ShippedLogQuery,
  LogTable,
  Rewritten,
  Shipment,
  Shipped,
  ShippedEntry,
  ShippedRow,
  ShippedSelection,
} from '../../../../src/mesh/log/store.js';

/** An entry as it is kept. */
interface KeptEntry extends ShippedEntry {
  readonly logId: string;
  /** ms since the epoch. */
  readonly arrived: number;
}

/** What outlives the process that a test ends. */
export class KeptLogs {
  /** Null where an entry of a log was that is dropped. */
  readonly arrivals: (KeptEntry | null)[] = [];
  /** How many of the oldest are gone. */
  gone = 0;
  /** Hash of each entry, by log and seq. */
  readonly hashes = new Map<string, string>();
  readonly ends = new Map<string, LogEnd>();
}

export class MemoryLogs implements LogTable {
  readonly #kept: KeptLogs;

  constructor(kept: KeptLogs) {
    this.#kept = kept;
  }

  async usage(): Promise<{ bytes: number; quota: number; shed: number }> {
    const bytes = this.#kept.arrivals.reduce((sum, entry) => sum + (entry?.text.length ?? 0), 0);
    return { bytes, quota: Infinity, shed: 0 };
  }

  async put(shipment: Shipment): Promise<Shipped> {
    const { ends, hashes, arrivals } = this.#kept;
    const { logId, verifier, at } = shipment;
    const concerned = [...ends.values()].filter((end) => end.logId === logId || end.verifier === verifier);
    const ruling = ruleShipment(shipment, concerned, (seq) => hashes.get(`${logId} ${seq}`));
    if (ruling.kind !== 'new') return ruling;
    for (const entry of ruling.entries) {
      arrivals.push({ ...entry, logId, arrived: at });
      hashes.set(`${logId} ${entry.seq}`, entry.hash);
    }
    ends.set(logId, ruling.end);
    return { kind: 'stored', seq: ruling.end.seq, hash: ruling.end.hash };
  }

  async read({ agentId, status, code, since, after, last, limit }: ShippedLogQuery): Promise<readonly ShippedRow[]> {
    const found: ShippedRow[] = [];
    this.#kept.arrivals.forEach((entry, i) => {
      const row = this.#kept.gone + i + 1;
      if (entry === null || row <= (after ?? 0)) return;
      if (agentId !== undefined && entry.agentId !== agentId) return;
      if (status !== undefined && entry.status !== status) return;
      if (code !== undefined && entry.code !== code) return;
      if (since !== undefined && entry.at < since) return;
      found.push({ row, text: entry.text });
    });
    if (last !== undefined) return last === 0 ? [] : found.slice(-last);
    return found.slice(0, limit);
  }

  async head(): Promise<number> {
    return this.#kept.gone + this.#kept.arrivals.length;
  }

  async expire(before: number): Promise<number> {
    const { arrivals } = this.#kept;
    const young = arrivals.findIndex((entry) => entry !== null && entry.arrived >= before);
    const old = young < 0 ? arrivals.length - 1 : young;
    const { length } = arrivals.splice(0, Math.min(Math.max(0, old), Math.floor(arrivals.length / 10)));
    this.#kept.gone += length;
    return length;
  }

  async rewrite(
    { agentId, logId }: ShippedSelection,
    change: (text: string, logId: string) => string | null,
  ): Promise<Rewritten> {
    let entries = 0;
    for (const [i, entry] of this.#kept.arrivals.entries()) {
      if (entry === null) continue;
      if ((agentId ?? entry.agentId) !== entry.agentId || (logId ?? entry.logId) !== entry.logId) continue;
      const left = change(entry.text, entry.logId);
      if (left === null) continue;
      this.#kept.arrivals[i] = { ...entry, text: left };
      entries += 1;
    }
    return { entries, overwritten: true };
  }

  async end(logId: string): Promise<LogEnd | null> {
    return this.#kept.ends.get(logId) ?? null;
  }

  async endOf(verifier: string): Promise<LogEnd | null> {
    return [...this.#kept.ends.values()].find((end) => end.verifier === verifier) ?? null;
  }

  async drop(logId: string): Promise<number> {
    const { arrivals, hashes, ends } = this.#kept;
    let dropped = 0;
    for (const [i, entry] of arrivals.entries()) {
      if (entry?.logId !== logId) continue;
      arrivals[i] = null;
      dropped += 1;
    }
    for (const place of hashes.keys()) if (place.startsWith(`${logId} `)) hashes.delete(place);
    ends.delete(logId);
    return dropped;
  }

  async ends(limit: number): Promise<readonly LogEnd[]> {
    return [...this.#kept.ends.values()].sort((a, b) => b.at - a.at).slice(0, limit);
  }
}
