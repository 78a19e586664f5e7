/** The mesh's requests for approval: tables with quotas, beside the ordered log, so that no crowd of requests can hold up a deny. */
import type { ActionApproval } from '../../../protocol/approvals/approval.js';
import { deniableSpelling } from '../../../protocol/approvals/person.js';
import { MOST_PENDING, type ApprovalRequest } from '../../../protocol/approvals/request.js';
import type { JsonObject } from '../../../protocol/json/values.js';
import { canonicalize } from '../../../protocol/json/canonical.js';
import {
  KEPT_MS,
  MOST_KEPT,
  misfit,
  newRequest,
  readKept,
  statusOf,
  withAnswer,
  writeKept,
  type KeptRequest,
} from '../../approvals/kept.js';
import { Refused } from '../../refusal.js';
import type { MeshStore, Paper } from '../../log/store.js';
import { statusAt } from '../../standing.js';
import type { ServerClock } from '../http/exchange.js';

/** A request and how often it has changed. */
export interface VersionedRequest {
  readonly request: KeptRequest;
  readonly version: number;
}

/** What the desk stands on. */
export interface DeskPorts {
  readonly store: MeshStore;
  readonly clock: ServerClock;
  readonly verify: (publicKey: string, text: string, signature: string) => boolean;
  /** Told of every request that was handed in here, and of every one that has changed. */
  readonly onChange: (request: KeptRequest, isNew: boolean) => void;
  /** True of an API key that is revoked. */
  readonly isRevoked: (keyId: string) => boolean;
}

const KIND = 'approval';
const DOCUMENT = 'approval-request';
/** What another server wrote is looked for again for this long, in ms: clocks of servers differ. */
const OVERLAP_MS = 30_000;
const PRUNE_MS = 60_000;
/** Changes of one request that may cross before it is given up. */
const MOST_TRIES = 5;

/** All requests that are kept, in memory and in the store. */
export class ApprovalDesk {
  readonly #ports: DeskPorts;
  readonly #kept = new Map<string, VersionedRequest>();
  /** The agents of requests that are being written. */
  readonly #coming = new Map<string, string>();
  #learntAt = -1;
  #prunedAt = 0;
  #loading: Promise<void> | null = null;
  /** Counts changes that this server knows of. */
  revision = 0;

  constructor(ports: DeskPorts) {
    this.#ports = ports;
  }

  /** Every request that is kept, the oldest first. */
  async all(): Promise<readonly VersionedRequest[]> {
    await this.#loaded();
    return [...this.#kept.values()].sort(
      (a, b) =>
        a.request.requested_at - b.request.requested_at || (a.request.request_id < b.request.request_id ? -1 : 1),
    );
  }

  /** @throws Refused NOT_FOUND */
  async find(id: string): Promise<VersionedRequest> {
    await this.#loaded();
    const known = this.#kept.get(id);
    // Another server may have taken it a moment ago.
    if (known === undefined && this.#ports.store.shared) await this.#learnOne(id);
    const found = this.#kept.get(id);
    if (found === undefined) throw new Refused('NOT_FOUND', 'There is no such request for approval here.');
    return found;
  }

  /** The document of a request, JSON text. @throws Refused NOT_FOUND */
  async document(id: string): Promise<string> {
    const paper = await this.#ports.store.papers.get(DOCUMENT, id);
    if (paper === null || paper.text === '')
      throw new Refused('NOT_FOUND', 'There is no such request for approval here.');
    return paper.text;
  }

  /**
   * Takes a request in; the same one twice is one, of the API key that came last: its verifier may have got another. True where it is new or has changed hands.
   * @throws Refused APPROVAL_INVALID, APPROVAL_ENDED, TOO_MANY_PENDING
   */
  async add(
    asked: ApprovalRequest,
    keyId: string,
  ): Promise<{ readonly standing: VersionedRequest; readonly changed: boolean }> {
    await this.#loaded();
    const { clock, store, verify } = this.#ports;
    const now = clock.wall();
    const { document } = asked;
    const { request_id: id } = document;
    if (!verify(document.verifier, textOf(asked.signedBytes), document.signature))
      throw new Refused('APPROVAL_INVALID', 'The verifier that the request names did not sign it.');
    const request = newRequest(asked, keyId, now);
    const known = this.#kept.get(id);
    if (known !== undefined) return this.#handedOver(sameAs(known, request), keyId);
    if (!(now < asked.expiresAt)) throw new Refused('APPROVAL_ENDED', 'The request has ended already.');
    if (asked.expiresAt - now > document.ttl_s * 1_000 + OVERLAP_MS)
      throw new Refused('APPROVAL_INVALID', 'The request waits for longer than it says that one may.');
    this.#requireRoom(request.agent_id, now);
    this.#coming.set(id, request.agent_id);
    try {
      const keepUntil = asked.expiresAt + KEPT_MS;
      const text = canonicalize(document as unknown as JsonObject);
      const paper = { id, version: 1, changedAt: now, keepUntil, text };
      // One that is there is of a moment ago, by this server or another one: what people read must be what they answer.
      if (!(await store.papers.put(DOCUMENT, paper)) && (await this.document(id)) !== text) throw otherRequest();
      const standing = { request, version: 1 };
      const added = await store.papers.put(KIND, paperOf(standing, now));
      if (!added) return await this.#handedOver(sameAs(await this.find(id), request), keyId);
      this.#keep(standing, true);
      return { standing, changed: true };
    } finally {
      this.#coming.delete(id);
    }
  }

  /**
   * Takes an answer in. False where it is there already.
   * @throws Refused NOT_FOUND, APPROVAL_INVALID, APPROVAL_ENDED
   */
  async answer(answer: ActionApproval): Promise<{ readonly standing: VersionedRequest; readonly changed: boolean }> {
    const { document } = answer;
    const publicKey = await this.#signerOf(await this.find(document.request_id), answer);
    return this.#change(document.request_id, (request, now) => {
      if (request.answers.some((each) => each.document.signature === document.signature)) return request;
      const status = statusOf(request, now);
      if (status !== 'pending' && status !== 'approved')
        throw new Refused('APPROVAL_ENDED', `The request is ${status}.`);
      const next = withAnswer(request, answer, publicKey, now);
      if (next === null) throw new Refused('APPROVAL_INVALID', 'The request has as many answers as it may.');
      return next;
    });
  }

  /** Its verifier says how a request ended. @throws Refused NOT_FOUND, FORBIDDEN */
  end(
    id: string,
    keyId: string,
    how: Pick<KeptRequest, 'intent_hash'> & { readonly status: 'spent' | 'denied' },
  ): Promise<{ readonly standing: VersionedRequest; readonly changed: boolean }> {
    return this.#change(id, (request, now) => {
      if (request.key_id !== keyId) throw new Refused('FORBIDDEN', 'The request was handed in under another key.');
      if (request.status === 'spent' || request.status === how.status) return request;
      return { ...request, ...how, ended_at: now };
    });
  }

  /** Several servers may share a store, and nothing is kept for ever. Call it every second. */
  async tick(): Promise<void> {
    const { store, clock } = this.#ports;
    if (this.#loading === null) return;
    if (store.shared) await this.#learn();
    const now = clock.wall();
    if (clock.up() - this.#prunedAt < PRUNE_MS) return;
    this.#prunedAt = clock.up();
    for (const [id, { request }] of this.#kept) if (keptUntil(request) < now) this.#kept.delete(id);
    await store.papers.prune(now);
  }

  #loaded(): Promise<void> {
    this.#loading ??= this.#learn().catch((error: unknown) => {
      this.#loading = null;
      throw error;
    });
    return this.#loading;
  }

  async #learn(): Promise<void> {
    const { store, clock } = this.#ports;
    const [since, readAt] = [this.#learntAt, clock.wall() - OVERLAP_MS];
    for (const paper of await store.papers.list(KIND, since)) this.#take(paper, since !== -1);
    // Not before: what a look that failed would have brought is looked for again.
    this.#learntAt = readAt;
  }

  async #learnOne(id: string): Promise<void> {
    const paper = await this.#ports.store.papers.get(KIND, id);
    if (paper !== null) this.#take(paper, true);
  }

  #take(paper: Paper, told: boolean): void {
    const known = this.#kept.get(paper.id);
    if (known !== undefined && known.version >= paper.version) return;
    const standing = { request: readKept(paper.text), version: paper.version };
    // Its own server has told people of it.
    if (told) this.#keep(standing, false);
    else this.#kept.set(paper.id, standing);
  }

  #keep(standing: VersionedRequest, isNew: boolean): void {
    this.#kept.set(standing.request.request_id, standing);
    this.revision++;
    this.#ports.onChange(standing.request, isNew);
  }

  #requireRoom(agentId: string, now: number): void {
    let [agent, all] = [0, 0];
    for (const each of this.#coming.values()) {
      all++;
      if (each === agentId) agent++;
    }
    let oldest: KeptRequest | null = null;
    for (const { request } of this.#kept.values()) {
      const status = statusOf(request, now);
      // What came under a key that is revoked may be answered, and takes no place: who stole the key would have filled them all.
      if ((status === 'pending' || status === 'approved') && !this.#ports.isRevoked(request.key_id)) {
        all++;
        if (request.agent_id === agentId) agent++;
      } else if (oldest === null || goesBefore(request, oldest, now)) oldest = request;
    }
    if (agent >= MOST_PENDING.agent || all >= MOST_PENDING.all)
      throw new Refused('TOO_MANY_PENDING', 'Too many requests for approval wait for an answer.');
    if (this.#kept.size >= MOST_KEPT && oldest !== null) this.#drop(oldest.request_id);
  }

  /** Makes room; what is left of it goes with the next pruning. */
  #drop(id: string): void {
    const { papers } = this.#ports.store;
    const known = this.#kept.get(id)!;
    this.#kept.delete(id);
    const gone = { id, changedAt: 0, keepUntil: 0, text: '' };
    void papers.put(DOCUMENT, { ...gone, version: 2 }).catch(() => undefined);
    void papers
      .put(KIND, { ...gone, text: writeKept(known.request), version: known.version + 1 })
      .catch(() => undefined);
  }

  async #handedOver(standing: VersionedRequest, keyId: string): ReturnType<ApprovalDesk['add']> {
    if (standing.request.key_id === keyId) return { standing, changed: false };
    return this.#change(standing.request.request_id, (request) => ({ ...request, key_id: keyId }));
  }

  async #change(
    id: string,
    change: (request: KeptRequest, now: number) => KeptRequest,
  ): Promise<{ readonly standing: VersionedRequest; readonly changed: boolean }> {
    const { store, clock } = this.#ports;
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const { request, version } = await this.find(id);
      const now = clock.wall();
      const next = change(request, now);
      if (next === request) return { standing: { request, version }, changed: false };
      const standing = { request: next, version: version + 1 };
      if (await store.papers.put(KIND, paperOf(standing, now))) {
        this.#keep(standing, false);
        return { standing, changed: true };
      }
      await this.#learnOne(id);
    }
    throw new Refused('STORE_UNAVAILABLE', 'The request changes too often; ask again.');
  }

  /**
   * The key that signed an answer: one that the request names, or one of the principal that is registered here. Null where the mesh knows
   * none and leaves it to the verifier.
   */
  async #signerOf({ request }: VersionedRequest, answer: ActionApproval): Promise<string | null> {
    const { store, clock, verify } = this.#ports;
    const { document } = answer;
    const now = clock.wall();
    const problem = misfit(request, answer, now);
    if (problem !== null) throw new Refused('APPROVAL_INVALID', `The answer does not count: ${problem}.`);
    const named = request.approvers.filter(({ id }) => id === document.approver);
    const keys = named.flatMap(({ public_key }) => (public_key === null ? [] : [public_key]));
    if (named.some(({ public_key }) => public_key === null))
      keys.push(...(await store.principals.list(document.approver)).map(({ publicKey }) => publicKey));
    const signer = keys.find((key) => verify(key, textOf(answer.signedBytes), document.signature)) ?? null;
    if (signer === null && keys.length > 0)
      throw new Refused('APPROVAL_INVALID', 'The answer does not count: no key of its approver signed it.');
    for (const subject of [signer, document.key_id, document.approver])
      if (subject !== null && statusAt(await store.standing(deniableSpelling(subject)), now) !== 'active')
        throw new Refused('APPROVAL_INVALID', 'The answer does not count: its approver is revoked or suspended.');
    return signer;
  }
}

/**
 * Which of two requests makes room first: the one that ends earlier, and a denial in force after all others, since a verifier that has not
 * heard of it would hand the request in again.
 */
function goesBefore(one: KeptRequest, other: KeptRequest, now: number): boolean {
  const denies = ({ status, expires_at }: KeptRequest): boolean => status === 'denied' && now < expires_at;
  return denies(one) === denies(other) ? one.expires_at < other.expires_at : denies(other);
}

/** @throws Refused APPROVAL_INVALID where what stands under the id is another request */
function sameAs(standing: VersionedRequest, request: KeptRequest): VersionedRequest {
  if (standing.request.document_hash !== request.document_hash) throw otherRequest();
  return standing;
}

function otherRequest(): Refused {
  return new Refused('APPROVAL_INVALID', 'Another request has this id.');
}

function keptUntil(request: KeptRequest): number {
  return Math.max(request.expires_at, request.ended_at ?? 0) + KEPT_MS;
}

function paperOf({ request, version }: VersionedRequest, now: number): Paper {
  const { request_id: id } = request;
  return { id, version, changedAt: now, keepUntil: keptUntil(request), text: writeKept(request) };
}

/** Canonical JSON is UTF-8 without lone surrogates, so nothing is lost. */
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
