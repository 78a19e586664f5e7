/** What the use cases need from the outside world. Adapters implement these; nothing here does I/O. */
import type { KeyAddressKind, KeyAddressText } from '../../protocol/identity/key-address.js';
import type { ActionApproval } from '../../protocol/approvals/approval.js';
import type { JsonObject } from '../../protocol/json/values.js';
import type {
  Entry,
  EntryDraft,
  ErasureDraft,
  InterruptedDraft,
  LogRecord,
  OutcomeDraft,
  OutcomeEntry,
  RecordType,
} from '../../protocol/log/entry.js';
import type { RequestRecord } from '../../verify/approvals/approving.js';
import type { Recall, StandingRecord } from '../../verify/context.js';
import type { Usage } from '../../verify/meters.js';

export type { RequestRecord } from '../../verify/approvals/approving.js';
export type { Recall, SpentNonce, StandingRecord } from '../../verify/context.js';
export type { Meter, MeterReading, Usage } from '../../verify/meters.js';

/** The system clock, in milliseconds since the epoch. */
export type Clock = () => number;

/** `n` bytes from a CSPRNG. */
export type Random = (n: number) => Uint8Array;

// ---------------------------------------------------------------- state

/**
 * What remembers nonces and windows: one machine's ledger, or what a fleet shares. The judgement asks it and tells it through this
 * interface alone, so that one function judges on all of them.
 */
export interface Memory extends Recall {
  /** Spends a nonce until `keepUntil` (ms since the epoch). Spending twice is a bug of the caller, and throws. */
  spendNonce(agentId: string, nonce: string, firstSeenAt: number, firstResult: string, keepUntil: number): void;
  /** Adds an accepted intent to the windows. */
  recordUsage(usage: Usage): void;
  /** Keeps a new request for approval. */
  openRequest(request: OpenedRequest): void;
  /** Ends a request that is open, for the intent that ran under it: one approval runs once. */
  spendRequest(id: string, at: number, intentHash: string): void;
}

/** A request for approval as it begins. */
export type OpenedRequest = Omit<RequestRecord, 'status' | 'endedAt' | 'answers'>;

/** Which refusals were seen before. They stay on this machine, as its log does. */
export interface RefusalMarks {
  /**
   * Marks a refusal by the hash of its intent until `keepUntil`, both moments in ms since the epoch. False when it was marked before:
   * then nothing changes.
   */
  markRefused(agentId: string, intentHash: string, at: number, keepUntil: number): boolean;
}

/** Where the folding of refusals stands that may be a stranger's doing. Moments in ms since the epoch. */
export interface Folding {
  /** The minute, by its beginning, that `kept` entries were written in. */
  readonly minute: number;
  readonly kept: number;
  /** How many were counted only since the last entry said so, from `since` to `until`. */
  readonly folded: number;
  readonly since: number;
  readonly until: number;
}

/** Refusals that get no entry of their own. */
export interface FoldedRefusals {
  folding(): Folding;
  setFolding(folding: Folding): void;
  /** Counts one of an agent that is known here under its name, and any other with those of all strangers. */
  countFolded(agentId: string, code: string, at: number): void;
}

/** One write transaction on the state: all of it happens, or none. */
export interface Ledger extends Memory, RefusalMarks, FoldedRefusals {
  /** The standing of an agent, a principal, or the whole mesh (`*`); null when nothing was ever said of it. */
  standing(subject: string): StandingRecord | null;
  /** The serials below which passports of an agent are refused, one for each key that issued them, and the mesh's own. */
  floors(agentId: string): readonly PassportFloor[];
  /** The names that a key (`ed25519:` and hex) which is bound to no agent has spoken under: some of them, and all that are denied. */
  spokenNames(key: string): readonly string[];
  /** Adds one, where it is not there. */
  addSpokenName(key: string, agentId: string): void;
  /** Raises a floor; a lower one than is there changes nothing. */
  raiseFloor(floor: PassportFloor): void;
  /** A new outcome token, 32 hex digits from a CSPRNG. */
  token(): string;
  /** Appends to the verification log: gives the entry its seq, its verifier and its links, and updates the tallies. */
  append(draft: EntryDraft, aside?: EntryAside): Entry;
  /** Appends what became of an intent that was accepted at `acceptedAt`, in ms. */
  appendOutcome(draft: OutcomeDraft, acceptedAt: number): LogRecord;
  /** Appends that a judgement was kept by a shared memory and never reported. */
  appendInterrupted(draft: InterruptedDraft): LogRecord;
  /** True when an entry holds this judgement of the intent: `accepted`, or the code of its refusal. */
  isLogged(intentHash: string, settledAs: string): boolean;
  /** What the decision with this number was counted with; null where it may not be given back, or was. */
  releasable(seq: number): Releasable | null;
  /** What was given back to an agent in this currency after `after` (ms), in minor units. */
  releasedSince(agentId: string, currency: string, after: number): bigint;
  /** Takes what the decision was counted with out of the sum, once; how often it was accepted stays as it is. */
  giveBack(seq: number, at: number): void;
  /** Appends that something was erased. */
  appendErasure(draft: ErasureDraft): LogRecord;
  /** The verification with this number, with the hash of its outcome token; null when there is none. */
  decision(seq: number): DecidedEntry | null;
  /** The newest accepted verification with this intent hash; null when there is none. */
  acceptedAs(intentHash: string): DecidedEntry | null;
  /**
   * Keeps an answer in the place of an earlier one by the same key: an approval keeps its request open while it is in force, a denial
   * ends it. False for a request that is not open.
   */
  answerRequest(answer: ActionApproval, publicKey: string, at: number): boolean;
  /** Requests whose persons may be elsewhere: what the mesh was not told of yet, and what it knows and that waits here. */
  requestsForMesh(now: number): readonly MeshRequest[];
  /** Keeps what the mesh knows of a request. */
  toldMesh(id: string, stage: ToldMesh): void;
  /** Requests by the time they were raised, the newest last; those that are open and not over, or all. */
  requests(which: 'open' | 'all', now: number): readonly RequestRecord[];
  /** Forgets nonces and usage that no window can reach any more. Cheap; call it often. */
  prune(now: number): void;
}

/** What the mesh knows of a request: that it is there, how it ended, nothing, because it took it not, or nothing any more. */
export type ToldMesh = 'sent' | 'ended' | 'refused' | 'lost';

/** A request as the mesh is to be told of it. */
export interface MeshRequest {
  readonly id: string;
  /** Public key of the verifier that raised it: only that one tells the mesh of it. */
  readonly verifier: string;
  /** True for one that the mesh has not heard of. */
  readonly isNew: boolean;
  readonly status: RequestRecord['status'];
  /** Hash of the intent that ran under it; null where none did. */
  readonly spentBy: string | null;
  /** The document, JSON text. */
  readonly text: string;
}

/** What stands beside an entry and is no part of it. */
export interface EntryAside {
  /** The params as they were sent, where the entry may hold others; null where they are not committed to. */
  readonly sent: JsonObject | null;
  /** The passport it was judged under, its RFC 8785 text; kept once, by its hash. */
  readonly passport: { readonly hash: string; readonly text: string } | null;
  /** The document as it was sent, where all of it is kept and the entry does not hold it; null or missing otherwise. */
  readonly document?: string | null;
  /** Of an accepted intent, 32 hex digits: only its hash is kept. */
  readonly token: string | null;
  /** What an accepted intent was counted with, where it may be given back. */
  readonly releasable?: Releasable | null;
}

/** What was counted of an accepted intent, in the sum of a daily limit that may be given back. */
export interface Releasable {
  readonly agentId: string;
  readonly action: string;
  /** ms since the epoch. */
  readonly at: number;
  readonly currency: string;
  readonly amountMinor: bigint;
  /** The most that is given back to the agent within 24 hours, in minor units. */
  readonly mostMinor: bigint;
}

/** A decision as outcomes refer to it. */
export interface DecidedEntry {
  readonly entry: Entry;
  /** True for the token that the decision gave to its caller. */
  readonly isToken: (token: string) => boolean;
  /** What is recorded of its end: the final word, and how many leave it open, which are claims and `unknown`. */
  readonly outcomes: { readonly final: OutcomeEntry | null; readonly open: number };
}

/** A passport that this machine keeps. */
export interface KnownPassport {
  readonly agentId: string;
  readonly name: string;
  /** The document as it was signed, JSON text. */
  readonly text: string;
  /** Path of the file it was last written to or read from, when there is one. */
  readonly path: string | null;
  readonly addedAt: number;
}

/** The newest passport of an agent that was believed here, or that the mesh has told of. It outlives the passport. */
export interface PassportFloor {
  readonly agentId: string;
  /** `ed25519:` and hex of the key that signed the document; null for an event of the mesh. */
  readonly issuerKey: string | null;
  readonly serial: number;
  /** `sha256:` and hex of the document. */
  readonly hash: string;
  /** ms since the epoch. */
  readonly raisedAt: number;
}

/** A public key of a principal that is believed on this machine. */
export interface Pin {
  readonly did: string;
  readonly keyId: string;
  /** Raw 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly pinnedAt: number;
  /** How the pin came to be: `created`, `added`, `resolved`, `flag`. */
  readonly source: string;
}

/** Where a private key lives; never the key. */
export interface KeyRecord {
  readonly keyId: string;
  readonly store: KeyStoreName | KeyAddressKind;
  /** What the store needs to find it: an account name, a path, or the address of a key that is asked. */
  readonly ref: string;
  readonly createdAt: number;
}

/** Which entries of the log are asked for; an absent member asks for all. */
export interface EntryQuery {
  readonly agentId?: string;
  readonly action?: string;
  readonly status?: 'success' | 'failed';
  readonly code?: string;
  /** Inclusive, ms since the epoch. */
  readonly since?: number;
  /** Exclusive, ms since the epoch. */
  readonly until?: number;
  /** Only entries with a greater seq. */
  readonly afterSeq?: number;
  /** The newest N that match, still in ascending order. */
  readonly last?: number;
}

/** As `EntryQuery`, of entries of every kind or of one. */
export interface RecordQuery extends EntryQuery {
  readonly type?: RecordType;
}

/** Everything local: one SQLite file, opened by any number of processes at once (protocol, section 7). */
export interface State {
  /** This machine's name in log entries, made at random once. */
  readonly verifier: string;
  /** Identifies this log in checkpoints, made at random once. */
  readonly logId: string;
  /** Runs `work` in one immediate transaction and returns after the durable commit. */
  transact<T>(work: (ledger: Ledger) => T): T;
  /** Runs `work` against a consistent snapshot and rolls back whatever it wrote: `--dry-run`. */
  rehearse<T>(work: (ledger: Ledger) => T): T;
  /**
   * Runs `work` against one snapshot. It takes no write lock and waits for no writer, and whatever would write throws: for what is
   * asked again inside of a transaction before it counts.
   */
  look<T>(work: (ledger: Ledger) => T): T;

  passport(agentId: string): KnownPassport | null;
  passports(): readonly KnownPassport[];
  rememberPassport(passport: KnownPassport): void;
  forgetPassport(agentId: string): boolean;
  floors(agentId: string): readonly PassportFloor[];
  raiseFloor(floor: PassportFloor): void;
  /** The standing of a subject as of now; null when nothing was ever said of it. */
  standing(subject: string): StandingRecord | null;
  /** The clock that suspensions end by when this machine's says `now`, both in ms since the epoch: never ahead of the mesh's. */
  standingNow(now: number): number;

  pins(did?: string): readonly Pin[];
  pin(pin: Pin): void;
  /** Takes one key of a principal away, or all of them without `keyId`; how many there were. */
  unpin(did: string, keyId?: string): number;

  key(keyId: string): KeyRecord | null;
  /** Every key that this machine holds, by id. */
  keys(): readonly KeyRecord[];
  rememberKey(record: KeyRecord): void;
  forgetKey(keyId: string): boolean;

  /** Verifications in ascending seq order, read in pages so that any log fits in memory. */
  entries(query: EntryQuery): Iterable<Entry>;
  /** The same for entries of every kind: what the chain and the tree are made of. */
  records(query: RecordQuery): Iterable<LogRecord>;
  close(): void;
}

// ---------------------------------------------------------------- keys

/** The keychain of the system, an encrypted file, or a variable in plain text (protocol, section 6): they hold seeds. */
export const SEED_STORES = ['keychain', 'file', 'env'] as const;
/** A store that holds seeds. */
export type KeyStoreName = (typeof SEED_STORES)[number];

/** Where a key is made, or where it is found and stays. */
export type KeyPlace = KeyStoreName | KeyAddressText;

/**
 * A place that holds 32-byte Ed25519 seeds. Every method ends within 5 s, and fails with a `Failure` of the `KEYSTORE_*`,
 * `KEY_NOT_FOUND` or `WRONG_PASSPHRASE` codes whose text holds no key material.
 */
export interface KeyStore {
  readonly name: KeyStoreName;
  /** The seed under `ref`; fails with KEY_NOT_FOUND when the store works and the item is not in it. */
  read(ref: string): Promise<Uint8Array>;
  /** The ref that `keyId` has once it is stored. */
  refOf(keyId: string): string;
  /** Stores a new seed for `keyId` and returns its ref; never overwrites another key. */
  create(keyId: string, seed: Uint8Array): Promise<string>;
  /** True when it was there and this home may destroy it. */
  delete(ref: string): Promise<boolean>;
  /** True for a key that lies where another home keeps its own: it can be read, and `delete` leaves it. */
  isElsewhere?(ref: string): boolean;
}
