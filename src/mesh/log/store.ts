/** What a mesh server keeps. Memory, SQLite and PostgreSQL implement it; one contract suite holds for all. */
import type { ApiKeyRecord } from '../access/api-key.js';
import type { Head } from './head.js';
import type { MeshSigner } from './signing.js';
import type { Member } from '../roster/member.js';
import type { PassportMark, RegisteredKey } from '../passports.js';
import type { MeshRefusal } from '../refusal.js';
import type { Answer, Judge, EventRecord, Proposal } from '../ruling.js';
import type { Standing } from '../standing.js';

/** What became of an order. */
export type OrderResult =
  /** Carried out now, or before under the same `cmd_id`. Durable. */
  | { readonly kind: 'done'; readonly answer: Answer; readonly repeated: boolean }
  | { readonly kind: 'refused'; readonly refusal: MeshRefusal };

/** Verification log entries as a verifier shipped them. */
export interface Shipment {
  readonly logId: string;
  readonly verifier: string;
  readonly keyId: string;
  /** When it arrived, ms since the epoch by the server's clock. */
  readonly at: number;
  /** At least one; ascending, without holes. */
  readonly entries: readonly ShippedEntry[];
}

/** An entry of a verifier as it was shipped. */
export interface ShippedEntry {
  readonly seq: number;
  readonly prevHash: string;
  readonly hash: string;
  readonly agentId: string;
  readonly status: string;
  readonly code: string | null;
  /** ms since the epoch. */
  readonly at: number;
  /** Of a refusal that a guard only looked on at; missing in every other entry. */
  readonly observed?: true;
  /** The entry as JSON text. */
  readonly text: string;
}

/** What became of a shipment. */
export type Shipped =
  | { readonly kind: 'stored'; /** The verifier's head as now held. */ readonly seq: number; readonly hash: string }
  | { readonly kind: 'gap'; /** The last seq that is held; the shipment must begin after it. */ readonly seq: number }
  | { readonly kind: 'fork'; readonly seq: number }
  /** There is no room: nothing was kept, and the events are not in question. */
  | { readonly kind: 'full' }
  /** The log is another verifier's, or the verifier's name another log's. */
  | { readonly kind: 'taken' };

/** How far a verifier's log is held. */
export interface LogEnd {
  readonly logId: string;
  readonly verifier: string;
  /** The key that shipped it last. */
  readonly keyId: string;
  readonly seq: number;
  readonly hash: string;
  /** When it last shipped, ms since the epoch. */
  readonly at: number;
}

/** A shipped entry as it is stored. */
export interface ShippedRow {
  /** Counts the entries of all logs in the order of their arrival; the number of one that is gone is given to no other. */
  readonly row: number;
  readonly text: string;
}

/** Which shipped entries are asked for. */
export interface ShippedLogQuery {
  readonly agentId?: string;
  readonly status?: string;
  readonly code?: string;
  /** Inclusive, ms since the epoch. */
  readonly since?: number;
  /** Only rows with a greater number, in the order of arrival. */
  readonly after?: number;
  /** The newest so many that match, ascending, instead of the first `limit`. */
  readonly last?: number;
  readonly limit: number;
}

/** Which shipped entries are rewritten: of an agent, of a log, or both. */
export interface ShippedSelection {
  readonly agentId?: string;
  readonly logId?: string;
}

/** What became of a rewriting. */
export interface Rewritten {
  /** Entries that hold less now. */
  readonly entries: number;
  /** False where the store may keep what they held in places that it writes over later. */
  readonly overwritten: boolean;
}

/** Where shipped logs are kept. */
export interface LogTable {
  /** Keeps the entries that are new, all of them or none. */
  put(shipment: Shipment): Promise<Shipped>;
  read(query: ShippedLogQuery): Promise<readonly ShippedRow[]>;
  /** The last row; 0 while there is none. */
  head(): Promise<number>;
  end(logId: string): Promise<LogEnd | null>;
  /** How many bytes they take, of how many they may, and how many entries were shed since this opening. */
  usage(): Promise<{ readonly bytes: number; readonly quota: number; readonly shed: number }>;
  /** How far the log of the verifier with this name is held; null where none is. */
  endOf(verifier: string): Promise<LogEnd | null>;
  /** Those that shipped last, first. */
  ends(limit: number): Promise<readonly LogEnd[]>;
  /**
   * Deletes entries that arrived before `before` (ms since the epoch, by the server's clock): oldest first, at most a tenth of all, and never the
   * newest, so that rows go on counting. How many went.
   */
  expire(before: number): Promise<number>;
  /** Puts what `change` makes of an entry's text in its place, in the order of arrival; null leaves it as it is. */
  rewrite(which: ShippedSelection, change: (text: string, logId: string) => string | null): Promise<Rewritten>;
  /** Deletes all entries of a log, and then its end: its id and its verifier's name are free again, and rows go on counting. How many went. */
  drop(logId: string): Promise<number>;
}

/** A small text that changes until it ends, such as a request for approval with the answers to it. */
export interface Paper {
  readonly id: string;
  /** 1 at first, and one more with each change. */
  readonly version: number;
  /** When it was last changed, ms since the epoch by the clock of the server that changed it. */
  readonly changedAt: number;
  /** It may be forgotten after this, ms since the epoch. */
  readonly keepUntil: number;
  /** At most 64 KiB. */
  readonly text: string;
}

/** Papers of several kinds: tables beside the log, which hold nothing that a deny depends on. */
export interface PaperTable {
  get(kind: string, id: string): Promise<Paper | null>;
  /** All of a kind that were changed after `since`, by the time of the change. */
  list(kind: string, since: number): Promise<readonly Paper[]>;
  /**
   * Keeps a paper of version 1 where none has its id, and a later version in the place of the one before it; false where something else
   * stands there. Durable once it resolves.
   */
  put(kind: string, paper: Paper): Promise<boolean>;
  /** Forgets what need not be kept any more. */
  prune(now: number): Promise<void>;
}

/** What a store holds beside the log, its folds, keys, principals and the roster: for copies of it. */
export interface StoreRest {
  readonly notes: readonly (readonly [name: string, text: string])[];
  readonly nonces: readonly (readonly [value: string, keepUntil: number])[];
  readonly papers: readonly (readonly [kind: string, paper: Paper])[];
}

/** Where API keys are kept. */
export interface KeyTable {
  find(keyId: string): Promise<ApiKeyRecord | null>;
  list(): Promise<readonly ApiKeyRecord[]>;
  add(record: ApiKeyRecord): Promise<void>;
  /** Keeps the record in the place of the one with its id: what a following server does with home's. */
  put(record: ApiKeyRecord): Promise<void>;
  /** True when it was there and in force. Rejects with Refused for the last admin key, also of two that are revoked at once. */
  revoke(keyId: string, at: number): Promise<boolean>;
}

/**
 * The store cannot answer now, and will again: nothing that was read or kept before is in question, so the server goes on.
 * `unavailable`: nothing was written, ask again. `in-doubt`: whether it was written is settled by asking again under the same `cmd_id`.
 * `unsigned`: nothing was written for want of a signature, since the mesh's key is asked elsewhere and does not answer.
 * Any other error of a store is fatal: a failed write, a damaged file, another log.
 */
export class StoreTrouble extends Error {
  readonly kind: 'unavailable' | 'in-doubt' | 'unsigned';
  constructor(kind: StoreTrouble['kind'], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'StoreTrouble';
    this.kind = kind;
  }
}

/** `sign`, which rejects with StoreTrouble where the key is asked and gives no signature. */
export function inTrouble(sign: MeshSigner): MeshSigner {
  return (text, use) => {
    const signature = sign(text, use);
    if (typeof signature === 'string') return signature;
    return signature.catch((cause: unknown) => {
      throw new StoreTrouble('unsigned', 'The key of the mesh gives no signature.', cause);
    });
  };
}

/** The store of a mesh; every implementation passes one contract suite. */
export interface MeshStore {
  readonly logId: string;
  /** True where other servers write to it as well. */
  readonly shared: boolean;
  /**
   * Counts the histories of this log: raised by `raiseTerm` alone (a restore, a promotion), never by opening the store, so that
   * several servers on one store write one history.
   */
  readonly term: number;

  /**
   * The head, known to be current at a moment not before this call. A store that others may have taken over proves it by a committed
   * write, an embedded one by one read of its file. Rejects with StoreTrouble where nothing can be proven: then the server signs nothing.
   */
  confirm(): Promise<Head>;
  /** Begins a new history: later events are of `term`, which is greater than the one before. Ends a seal. */
  raiseTerm(term: number): Promise<void>;
  /** The higher term by which this store was sealed; null while it is not. */
  sealedBy(): Promise<number | null>;
  /** Keeps that a server proved a higher term: from then on this store takes no command. Nothing where its own history has come to that term. */
  seal(term: number): Promise<void>;

  /**
   * Carries out the proposals in order, in one transaction, and resolves after the durable commit: for each, spends its nonce
   * (a spent one is COMMAND_REPLAYED), answers a known `cmd_id` with what it was answered before (CMD_ID_REUSED when it says
   * something else), asks the judge, and writes event, standing and answer. Rejects with StoreTrouble when it may be asked again, and
   * with any other error when the store is broken; then nothing more may be asked of it. `beforeWriting` is called when all are judged:
   * what it throws leaves the store as it was, and is what this rejects with.
   */
  append(batch: readonly Proposal[], judge: Judge, beforeWriting?: () => void): Promise<readonly OrderResult[]>;
  /** What these commands were answered, as far as they are known, in any order. */
  answers(cmdIds: readonly string[]): Promise<readonly Answer[]>;
  /** Up to `limit` events after seq `after`, ascending, without holes. */
  read(after: number, limit: number): Promise<readonly EventRecord[]>;
  head(): Promise<Head>;
  standing(subject: string): Promise<Standing | null>;
  /** Head and all standings of one moment. */
  snapshot(): Promise<{ readonly head: Head; readonly standings: readonly Standing[] }>;
  /**
   * Up to `limit` standings of subjects that come after `after` (null: from the first one), in ascending order of their UTF-16
   * code units. Pages of different moments together are of none: the events since then put them right.
   */
  standings(after: string | null, limit: number): Promise<readonly Standing[]>;
  /** Calls `listener` soon after events were committed, by this process or another; returns how to stop that. */
  onWake(listener: () => void): () => void;

  readonly keys: KeyTable;
  readonly nonces: {
    /** Spends a nonce outside of a command; false when it was spent before. */
    spend(value: string, keepUntil: number): Promise<boolean>;
    /** Forgets nonces that no longer need to be remembered. */
    prune(now: number): Promise<void>;
  };
  /** Everyone who ever listened, and was not taken off. */
  readonly members: {
    /** Keeps each in the place of what was kept of it. */
    put(members: readonly Member[]): Promise<void>;
    /** Those whose `seenAt` is later than `since`, ms since the epoch. */
    list(since: number): Promise<readonly Member[]>;
    forget(verifier: string): Promise<void>;
  };
  /** Small texts by name that outlive the process, e.g. what the last drill found. */
  readonly notes: {
    get(name: string): Promise<string | null>;
    put(name: string, text: string): Promise<void>;
  };
  readonly passports: {
    mark(agent: string): Promise<PassportMark | null>;
    /** All that are in force or were withdrawn. */
    marks(): Promise<readonly PassportMark[]>;
    /** The canonical text of a document that was published; null where none has this hash. */
    document(hash: string): Promise<string | null>;
  };
  readonly principals: {
    /** False when it is registered already. */
    add(key: RegisteredKey): Promise<boolean>;
    /** Takes one key of a principal away, or all of them; how many there were. */
    remove(did: string, publicKey: string | null): Promise<number>;
    /** Of one principal, or of all. */
    list(did: string | null): Promise<readonly RegisteredKey[]>;
  };
  readonly papers: PaperTable;
  readonly logs: LogTable;
  rest(): Promise<StoreRest>;
  /** Adds what is not there yet, and puts notes in the place of those with their names. */
  putRest(rest: StoreRest): Promise<void>;

  /** The mesh's public key that this log is signed with, once set. */
  meshKey(): Promise<string | null>;
  setMeshKey(publicKey: string): Promise<void>;
  /** Resolves when the store can be read and written; rejects otherwise. */
  health(): Promise<void>;
  close(): Promise<void>;
}
