/** What this server may sign: a head with the time at which the store proved it current, and nothing once it is left behind. */
import { parseJsonText } from '../../protocol/json/parse.js';
import { readOrNull } from '../../protocol/json/shape.js';
import { canonicalize } from '../../protocol/json/canonical.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { formatTime } from '../../protocol/time.js';
import { readCheckpoint, unsignedCheckpoint, type Checkpoint, type ServerMoment } from '../log/checkpoint.js';
import type { Head } from '../log/head.js';
import { signatureHolds, type MeshSigner, type SignatureUse } from '../log/signing.js';
import { StoreTrouble, type MeshStore } from '../log/store.js';
import { Refused } from '../refusal.js';
import type { Waits } from './feed/waits.js';
import type { ServerClock } from './http/exchange.js';

/** A confirm that takes longer, in ms, is no longer waited for by heartbeats and answers. */
const SLOW_MS = 1_000;
/** How long a confirm of a shared store serves for heartbeats, ms. */
const SERVES_MS = 500;

/** A head that was signed, or is being signed. */
interface Said {
  readonly text: string;
  readonly proof: string | Promise<string | void>;
  /** All who wait for it. */
  readonly uses: SignatureUse[];
}

/** What the prover needs of the server. */
export interface ProverPorts {
  readonly store: Pick<MeshStore, 'confirm' | 'seal' | 'sealedBy' | 'shared' | 'term' | 'logId'>;
  readonly clock: ServerClock;
  readonly waits: Waits;
  /** Names this process. */
  readonly boot: string;
  readonly sign: MeshSigner;
  /** The key is asked where it lives, and each signature takes its time. */
  readonly keyIsAsked: boolean;
  /** True when a signature is the mesh's own. */
  readonly isOwn: (text: string, signature: string) => boolean;
  /** The head as handed to the streams. */
  readonly head: () => Head;
  /** Brings the streams to what the store has now. */
  readonly pump: () => Promise<void>;
  readonly onFailure: (error: unknown) => void;
  /** A higher term was proven to this server. */
  readonly onSealed: (term: number) => void;
}

/** What a server says of how current it is. */
export interface Proving {
  /** The higher term that was proven to this server; null while none was. Sealed, it takes no command and gives no proof. */
  readonly sealed: number | null;
  /** True while what waits for a proof now may wait for long. */
  readonly slow: boolean;
  /** Claims of a higher term that came without a proof. */
  readonly bareClaims: number;
  /** A signed checkpoint as JSON text that repeats the challenge; null where nothing can be proven. */
  checkpoint(challenge?: string | null): Promise<string | null>;
  /** As `checkpoint`, for an answer that the holder of the API key `keyId` waits for. */
  soon(challenge: string | null, keyId: string): Promise<string | null>;
  /** What the heartbeats of this server's own pass say; null where another server's are passed on as they come. */
  heartbeat(): Promise<string | null>;
  /** Looks at the term that a client names, or proves. */
  heardOfTerm(claimed: number, proof: string | null): Promise<void>;
  /** Takes over what another server on the store was shown, and has the store keep what was shown here. */
  learnSeal(): Promise<void>;
  /**
   * How long ago what this server reads was last proven current, ms: 0 of now; null where it never was, or the mesh has gone on elsewhere.
   * For an answer that the holder of the API key `keyId` waits for.
   */
  ageMs(keyId: string): Promise<number | null>;
}

/** What a sealed server says to whom asks it to change something; null of one that is not. */
export function sealedAnswer(term: number | null): Refused | null {
  if (term === null) return null;
  const message = `This server is sealed: the mesh has gone on elsewhere, in term ${term}. Give the command there.`;
  return new Refused('MESH_SEALED', message, { term });
}

/** Signs the head only with the time of a confirmation of the store. */
export class Prover implements Proving {
  readonly #ports: ProverPorts;
  #running: Promise<ServerMoment | null> | null = null;
  #runningSince = 0;
  /** When the last confirm that succeeded began. */
  #confirmed: ServerMoment | null = null;
  /** The last that was signed without a challenge: at one moment and head it is the same for everybody. */
  #said: Said | null = null;
  /** The same of the heartbeats, which wait for nobody else's turn at the key. */
  #beaten: Said | null = null;
  /** The confirm that heartbeats go by: those that others ask for meanwhile give them nothing new to sign. */
  #beat: ServerMoment | null = null;
  /** Shared by all who asked while one was running: that one may have looked before they asked. */
  #next: Promise<ServerMoment | null> | null = null;
  #sealed: number | null;
  /** The store has not taken the seal yet. */
  #isUnkept = false;
  /** Claims of a higher term that came without a proof. */
  bareClaims = 0;

  /** `sealedBy`: the higher term that was proven to an earlier process; null while none was. */
  constructor(ports: ProverPorts, sealedBy: number | null) {
    this.#ports = ports;
    this.#sealed = sealedBy;
  }

  /** The higher term that was proven to this server; null while none was. Sealed, it takes no command and signs no proof. */
  get sealed(): number | null {
    // The history of the store may have come to that term since, by another process that promoted it.
    return this.#sealed !== null && this.#sealed > this.#ports.store.term ? this.#sealed : null;
  }

  /** True while the store does not answer: what waits for a proof now may wait for long. */
  get slow(): boolean {
    return this.#running !== null && this.#ports.clock.up() - this.#runningSince > SLOW_MS;
  }

  /**
   * A signed checkpoint as JSON text, with the time of a confirm that began after this call; it repeats the challenge of the request it
   * answers. Null where nothing can be proven: the store does not answer, or this server is sealed.
   */
  async checkpoint(challenge: string | null = null, use: SignatureUse = {}): Promise<string | null> {
    if (this.sealed !== null) return null;
    const at = await this.#moment();
    if (at === null || this.sealed !== null) return null;
    return this.#signed(at, challenge, use);
  }

  /**
   * On a store that is shared every confirm is a commit, and a key that is asked has to answer: for heartbeats one serves half a second. It
   * proves its own moment, no later one.
   */
  async heartbeat(): Promise<string | null> {
    const { store, clock, keyIsAsked } = this.#ports;
    if (!store.shared && !keyIsAsked) return this.checkpoint();
    const serves = (at: ServerMoment | null): boolean => at !== null && clock.up() - at.upMs <= SERVES_MS;
    if (!serves(this.#beat)) this.#beat = serves(this.#confirmed) ? this.#confirmed : null;
    const last = this.#beat;
    if (last !== null && this.sealed !== null) return null;
    const prove = (use: SignatureUse): Promise<string | null> =>
      last === null ? this.checkpoint(null, use) : this.#signed(last, null, use);
    return keyIsAsked ? this.#within({ isFirst: true }, prove) : prove({});
  }

  /** Null where the key gives no signature, or this server was sealed meanwhile. */
  async #signed(at: ServerMoment, challenge: string | null, use: SignatureUse): Promise<string | null> {
    const { head, store, sign, onFailure } = this.#ports;
    // The head as the streams have it, which is the confirmed one or a later one.
    const body = unsignedCheckpoint({ ...head(), term: store.term }, at, challenge);
    const text = canonicalize(body);
    const isBeat = use.isFirst === true;
    const said = isBeat ? this.#beaten : this.#said;
    if (said?.text === text) {
      said.uses.push(use);
      return this.#proof(body, await said.proof);
    }
    const uses = [use];
    const signature = sign(text, { ...use, isOver: () => uses.every(({ isOver }) => isOver?.() === true) });
    const proof = typeof signature === 'string' ? signature : signature.catch(onFailure);
    if (isBeat) this.#beaten = { text, proof, uses };
    else if (challenge === null) this.#said = { text, proof, uses };
    return this.#proof(body, await proof);
  }

  #proof(body: JsonObject, signature: string | void): string | null {
    return signature === undefined || this.sealed !== null ? null : JSON.stringify({ ...body, signature });
  }

  /**
   * As `checkpoint`, for an answer that the holder of the API key `keyId` waits for: null when store or key take longer than a second, and
   * then no key is asked for it any more.
   */
  async soon(challenge: string | null, keyId: string): Promise<string | null> {
    return this.#within({ keyId }, (use) => this.checkpoint(challenge, use));
  }

  async #within(use: SignatureUse, prove: (use: SignatureUse) => Promise<string | null>): Promise<string | null> {
    let proof: string | null = null;
    let settled = false;
    let isOver = false;
    const work = prove({ ...use, isOver: () => isOver }).then((text) => {
      proof = text;
      settled = true;
    });
    await Promise.race([work, this.#ports.waits.for(() => settled, SLOW_MS)]).finally(() => (isOver = true));
    return proof;
  }

  /**
   * Looks at the term that a client names, or proves. A bare claim seals nothing, or any listener could end the mesh; a checkpoint of
   * that term and this log, signed by the mesh's own key, does, for good. `proof`: base64url.
   */
  async heardOfTerm(claimed: number, proof: string | null): Promise<void> {
    const { store } = this.#ports;
    const checkpoint = proof === null ? null : checkpointIn(proof);
    const term = Math.max(claimed, checkpoint?.term ?? 0);
    if (term <= store.term || (this.sealed !== null && this.sealed >= term)) return;
    if (checkpoint === null || !this.#proves(checkpoint)) {
      this.bareClaims++;
      return;
    }
    this.#seal(checkpoint.term);
    await this.#keepSeal(checkpoint.term);
  }

  /** Sealed is this server at once; what the store did not take is given to it again. */
  async #keepSeal(term: number): Promise<void> {
    this.#isUnkept = true;
    await this.#ports.store.seal(term);
    this.#isUnkept = this.#sealed !== term;
  }

  async ageMs(keyId: string): Promise<number | null> {
    const { store, clock } = this.#ports;
    // Of a database a read proves nothing: an old primary goes on answering.
    const age = (): number => (this.#confirmed === null ? Infinity : clock.up() - this.#confirmed.upMs);
    const isNow = (): boolean => !store.shared || age() <= SERVES_MS;
    if (!isNow()) await this.#within({ keyId }, async () => ((await this.#moment()) === null ? null : ''));
    if (this.sealed !== null) return null;
    if (isNow()) return 0;
    return age() === Infinity ? null : Math.round(age());
  }

  async learnSeal(): Promise<void> {
    if (this.#isUnkept && this.#sealed !== null) await this.#keepSeal(this.#sealed);
    const { store } = this.#ports;
    if (!store.shared) return;
    const term = await store.sealedBy();
    if (term !== null && term > Math.max(store.term, this.#sealed ?? 0)) this.#seal(term);
  }

  #seal(term: number): void {
    this.#sealed = term;
    this.#ports.onSealed(term);
  }

  #proves(checkpoint: Checkpoint): boolean {
    const { store, isOwn } = this.#ports;
    if (checkpoint.term <= store.term || checkpoint.log_id !== store.logId) return false;
    return signatureHolds(checkpoint as unknown as JsonObject, isOwn);
  }

  /** The moment at which a confirm began that began after this call; null where the store proves nothing. */
  #moment(): Promise<ServerMoment | null> {
    if (this.#running === null) return this.#run();
    this.#next ??= this.#running.then(() => {
      this.#next = null;
      return this.#run();
    });
    return this.#next;
  }

  #run(): Promise<ServerMoment | null> {
    this.#runningSince = this.#ports.clock.up();
    const running = this.#confirm().finally(() => {
      if (this.#running === running) this.#running = null;
    });
    this.#running = running;
    return running;
  }

  async #confirm(): Promise<ServerMoment | null> {
    const { store, clock, boot, head, pump, onFailure } = this.#ports;
    // The time is read first: whatever was committed before it is in the head that is confirmed.
    const at = { time: formatTime(clock.wall()), upMs: Math.floor(clock.up()), boot };
    try {
      const { seq } = await store.confirm();
      if (seq > head().seq) await pump();
      if (head().seq < seq) return null;
      this.#confirmed = at;
      return at;
    } catch (error) {
      if (!(error instanceof StoreTrouble)) onFailure(error);
      return null;
    }
  }
}

function checkpointIn(proof: string): Checkpoint | null {
  return readOrNull(() => readCheckpoint(parseJsonText(Buffer.from(proof, 'base64url').toString('utf8'))));
}
