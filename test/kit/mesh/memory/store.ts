/** A mesh store in memory: the plainest statement of what a store does. */
import { requireAdminBeside, type ApiKeyRecord } from '../../../../src/mesh/access/api-key.js';
import { NO_HASH, type Head } from '../../../../src/mesh/log/head.js';
import type { PassportMark, RegisteredKey } from '../../../../src/mesh/passports.js';
import { carryOutOnce } from '../../../../src/mesh/log/carry-out.js';
import type { Answer, Judge, EventRecord, Proposal } from '../../../../src/mesh/ruling.js';
import type { Standing } from '../../../../src/mesh/standing.js';
import type { Member } from '../../../../src/mesh/roster/member.js';
import type {
  KeyTable,
  LogTable,
  MeshStore,
  OrderResult,
  Paper,
  PaperTable,
  StoreRest,
} from '../../../../src/mesh/log/store.js';
import { KeptLogs, MemoryLogs } from './logs.js';

class Contents {
  readonly records: EventRecord[] = [];
  readonly standings = new Map<string, Standing>();
  readonly answers = new Map<string, Answer>();
  readonly nonces = new Map<string, number>();
  readonly keys = new Map<string, ApiKeyRecord>();
  readonly members = new Map<string, Member>();
  readonly notes = new Map<string, string>();
  readonly passports = new Map<string, PassportMark>();
  readonly documents = new Map<string, string>();
  readonly principals = new Map<string, RegisteredKey>();
  readonly papers = new Map<string, Paper>();
  readonly logs = new KeptLogs();
  meshKey: string | null = null;
  sealedBy: number | null = null;
  term: number;
  /** Of every opening: one that writes wakes all of them. */
  readonly listeners = new Set<() => void>();

  constructor(term: number) {
    this.term = term;
  }

  /** All of it as it is now, without the logs of verifiers, which no backup holds. */
  copy(): Contents {
    const copy = new Contents(this.term);
    copy.records.push(...this.records);
    const maps = ['standings', 'answers', 'nonces', 'keys', 'members', 'notes'] as const;
    const more = ['passports', 'documents', 'principals', 'papers'] as const;
    for (const name of [...maps, ...more])
      for (const [key, value] of this[name]) (copy[name] as Map<string, unknown>).set(key, value);
    copy.meshKey = this.meshKey;
    copy.sealedBy = this.sealedBy;
    return copy;
  }
}

export class MemoryMeshStore implements MeshStore {
  readonly logId: string;
  readonly shared: boolean = false;
  readonly #kept: Contents;

  constructor(logId: string, term = 1, kept = new Contents(term)) {
    this.logId = logId;
    this.#kept = kept;
    this.logs = new MemoryLogs(kept.logs);
  }

  get term(): number {
    return this.#kept.term;
  }

  /** The same contents as another process finds them, beside this one or after it. */
  reopened(As: typeof MemoryMeshStore = MemoryMeshStore): MemoryMeshStore {
    return new As(this.logId, this.term, this.#kept);
  }

  /** What a backup of it would hold, as a store of its own. */
  copied(As: typeof MemoryMeshStore = MemoryMeshStore): MemoryMeshStore {
    return new As(this.logId, this.term, this.#kept.copy());
  }

  async confirm(): Promise<Head> {
    return this.#head();
  }

  async raiseTerm(term: number): Promise<void> {
    if (term <= this.#kept.term) throw new RangeError('a new history has a greater term');
    this.#kept.term = term;
    this.#kept.sealedBy = null;
  }

  async sealedBy(): Promise<number | null> {
    return this.#kept.sealedBy;
  }

  async seal(term: number): Promise<void> {
    if (term > this.#kept.term) this.#kept.sealedBy = Math.max(term, this.#kept.sealedBy ?? 0);
  }

  async append(batch: readonly Proposal[], judge: Judge, beforeWriting?: () => void): Promise<readonly OrderResult[]> {
    const before = this.#kept.records.length;
    const undo = beforeWriting === undefined ? null : this.#undo();
    const outcomes = batch.map((proposal) => this.#carryOut(proposal, judge));
    try {
      beforeWriting?.();
    } catch (error) {
      undo!();
      throw error;
    }
    if (this.#kept.records.length > before) this.#wake();
    return outcomes;
  }

  async answers(cmdIds: readonly string[]): Promise<readonly Answer[]> {
    return cmdIds.flatMap((cmdId) => this.#kept.answers.get(cmdId) ?? []);
  }

  async read(after: number, limit: number): Promise<readonly EventRecord[]> {
    return this.#kept.records.slice(after, after + limit);
  }

  async head(): Promise<Head> {
    return this.#head();
  }

  async standing(subject: string): Promise<Standing | null> {
    return this.#kept.standings.get(subject) ?? null;
  }

  async snapshot(): Promise<{ head: Head; standings: readonly Standing[] }> {
    return { head: this.#head(), standings: [...this.#kept.standings.values()] };
  }

  async standings(after: string | null, limit: number): Promise<readonly Standing[]> {
    const subjects = [...this.#kept.standings.keys()].filter((subject) => after === null || subject > after).sort();
    return subjects.slice(0, limit).map((subject) => this.#kept.standings.get(subject)!);
  }

  onWake(listener: () => void): () => void {
    this.#kept.listeners.add(listener);
    return () => this.#kept.listeners.delete(listener);
  }

  readonly keys: KeyTable = {
    find: async (keyId) => this.#kept.keys.get(keyId) ?? null,
    list: async () => [...this.#kept.keys.values()],
    add: async (record) => {
      if (this.#kept.keys.has(record.keyId)) throw new Error('a key with this id exists');
      this.#kept.keys.set(record.keyId, record);
    },
    put: async (record) => void this.#kept.keys.set(record.keyId, record),
    revoke: async (keyId, at) => {
      requireAdminBeside([...this.#kept.keys.values()], keyId);
      const record = this.#kept.keys.get(keyId);
      if (record === undefined || record.revokedAt !== null) return false;
      this.#kept.keys.set(keyId, { ...record, revokedAt: at });
      return true;
    },
  };

  readonly nonces = {
    spend: async (value: string, keepUntil: number): Promise<boolean> => this.#spend(value, keepUntil),
    prune: async (now: number): Promise<void> => {
      for (const [value, keepUntil] of this.#kept.nonces) if (keepUntil < now) this.#kept.nonces.delete(value);
    },
  };

  readonly members = {
    put: async (members: readonly Member[]): Promise<void> => {
      for (const member of members) this.#kept.members.set(member.verifier, member);
    },
    list: async (since: number): Promise<readonly Member[]> =>
      [...this.#kept.members.values()].filter(({ seenAt }) => seenAt > since),
    forget: async (verifier: string): Promise<void> => void this.#kept.members.delete(verifier),
  };

  readonly notes = {
    get: async (name: string): Promise<string | null> => this.#kept.notes.get(name) ?? null,
    put: async (name: string, text: string): Promise<void> => void this.#kept.notes.set(name, text),
  };

  readonly passports = {
    mark: async (agent: string): Promise<PassportMark | null> => this.#kept.passports.get(agent) ?? null,
    marks: async (): Promise<readonly PassportMark[]> => [...this.#kept.passports.values()],
    document: async (hash: string): Promise<string | null> => this.#kept.documents.get(hash) ?? null,
  };

  readonly principals = {
    add: async (key: RegisteredKey): Promise<boolean> => {
      const name = `${key.did} ${key.publicKey}`;
      if (this.#kept.principals.has(name)) return false;
      this.#kept.principals.set(name, key);
      return true;
    },
    remove: async (did: string, publicKey: string | null): Promise<number> => {
      const found = (await this.principals.list(did)).filter(
        (key) => publicKey === null || key.publicKey === publicKey,
      );
      for (const key of found) this.#kept.principals.delete(`${key.did} ${key.publicKey}`);
      return found.length;
    },
    list: async (did: string | null): Promise<readonly RegisteredKey[]> =>
      [...this.#kept.principals.values()].filter((key) => did === null || key.did === did),
  };

  readonly papers: PaperTable = {
    get: async (kind, id) => this.#kept.papers.get(`${kind} ${id}`) ?? null,
    list: async (kind, since) =>
      [...this.#kept.papers]
        .filter(([name, { changedAt }]) => name.startsWith(`${kind} `) && changedAt > since)
        .map(([, paper]) => paper)
        .sort((a, b) => a.changedAt - b.changedAt || (a.id < b.id ? -1 : 1)),
    put: async (kind, paper) => {
      const name = `${kind} ${paper.id}`;
      if ((this.#kept.papers.get(name)?.version ?? 0) !== paper.version - 1) return false;
      this.#kept.papers.set(name, paper);
      return true;
    },
    prune: async (now) => {
      for (const [name, { keepUntil }] of this.#kept.papers) if (keepUntil < now) this.#kept.papers.delete(name);
    },
  };

  readonly logs: LogTable;

  async rest(): Promise<StoreRest> {
    const { notes, nonces, papers } = this.#kept;
    return {
      notes: [...notes],
      nonces: [...nonces],
      papers: [...papers].map(([name, paper]) => [name.slice(0, name.indexOf(' ')), paper]),
    };
  }

  async putRest({ notes, nonces, papers }: StoreRest): Promise<void> {
    for (const [name, text] of notes) this.#kept.notes.set(name, text);
    for (const [value, keepUntil] of nonces) this.#spend(value, keepUntil);
    for (const [kind, paper] of papers) {
      const name = `${kind} ${paper.id}`;
      if (!this.#kept.papers.has(name)) this.#kept.papers.set(name, paper);
    }
  }

  async meshKey(): Promise<string | null> {
    return this.#kept.meshKey;
  }

  async setMeshKey(publicKey: string): Promise<void> {
    this.#kept.meshKey = publicKey;
  }

  async health(): Promise<void> {}

  async close(): Promise<void> {}

  #carryOut(proposal: Proposal, judge: Judge): OrderResult {
    return carryOutOnce(proposal, {
      spend: ({ value, keepUntil }) => this.#spend(value, keepUntil),
      answered: (cmdId) => this.#kept.answers.get(cmdId) ?? null,
      judged: ({ command: { subject } }) => {
        const [standing, mark] = [this.#kept.standings.get(subject), this.#kept.passports.get(subject)];
        return judge(proposal, this.#head(), this.term, standing ?? null, mark ?? null);
      },
      keep: (ruling) => {
        this.#kept.answers.set(ruling.answer.cmdId, ruling.answer);
        if (ruling.kind === 'same') return;
        const { record, standing, passport } = ruling;
        this.#kept.records.push(record);
        if (standing !== null) this.#kept.standings.set(standing.subject, standing);
        if (passport === null) return;
        const { mark, document } = passport;
        this.#kept.passports.set(mark.agent, mark);
        if (document !== null && mark.hash !== null) this.#kept.documents.set(mark.hash, document);
      },
    });
  }

  /** Puts everything that an append writes back to what it is now. */
  #undo(): () => void {
    const { records, nonces, answers, standings, passports, documents } = this.#kept;
    const { length } = records;
    const maps: readonly Map<unknown, unknown>[] = [nonces, answers, standings, passports, documents];
    const before = maps.map((map) => [...map]);
    return () => {
      records.length = length;
      maps.forEach((map, i) => {
        map.clear();
        for (const [name, value] of before[i]!) map.set(name, value);
      });
    };
  }

  #head(): Head {
    const last = this.#kept.records[this.#kept.records.length - 1];
    return { logId: this.logId, term: last?.term ?? 0, seq: last?.seq ?? 0, hash: last?.hash ?? NO_HASH };
  }

  #spend(value: string, keepUntil: number): boolean {
    if (this.#kept.nonces.has(value)) return false;
    this.#kept.nonces.set(value, keepUntil);
    return true;
  }

  #wake(): void {
    for (const listener of [...this.#kept.listeners]) queueMicrotask(listener);
  }
}
