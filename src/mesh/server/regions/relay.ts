/** A server that follows another one: it signs nothing, and everything that it proves is home's own word. */
import { parseJsonText } from '../../../protocol/json/parse.js';
import { readOrNull } from '../../../protocol/json/shape.js';
import type { JsonObject } from '../../../protocol/json/values.js';
import { readCheckpoint, type Checkpoint } from '../../log/checkpoint.js';
import type { Head } from '../../log/head.js';
import { signatureHolds, type SignatureCheck } from '../../log/signing.js';
import type { Request, WholeReply } from '../http/exchange.js';
import type { Proving } from '../prover.js';
import type { VerifierCard, Applied } from '../../roster/member.js';

/** What a following server needs of the one that it follows. */
export interface FollowedHome {
  /** Where home is, for people. */
  readonly home: string;
  /** Home's signed checkpoint with this challenge, asked now, as JSON text; null when home does not answer in time. */
  prove(challenge: string | null): Promise<string | null>;
  /** Home's signed snapshot, or the last one that is held here. Throws Refused where there is none. */
  snapshot(version: 1 | 2, head: Head): Promise<readonly Uint8Array[]>;
  /** Gives a request to home as it came. Throws Refused where home does not answer. */
  forward(request: Request): Promise<WholeReply>;
  /** Brings the keys of home here, when a request shows one that is unknown; true when they were asked for. */
  refresh(): Promise<boolean>;
  /** A verifier that listens here has shown its card, or signed what it has applied; null: it is gone. */
  heard(verifier: string, word: { readonly card?: VerifierCard; readonly applied?: Applied } | null): void;
  /** A proof of a term that home may not know yet. */
  heardOfTerm(proof: string): void;
  /** When home was last heard, ms since the epoch; null when never. */
  readonly heardAt: number | null;
  /** How long ago it last signed its head, in ms: one that is sealed, or whose store proves nothing, is heard and proves nothing. Null when it never did. */
  provenAgo(): number | null;
  /** The process of home whose heartbeats are passed on; null before the first. */
  readonly boot: string | null;
}

/** Tries at an answer of the process whose heartbeats are passed on, where a balancer stands before several. */
const TRIES = 3;

/** Passes home's proofs on, byte for byte. */
export class RelayProver implements Proving {
  readonly #upstream: FollowedHome;
  readonly #check: SignatureCheck;
  readonly #logId: string;
  readonly #head: () => Head;
  /** The highest term that was proven here, and the one that home signs. */
  #proven = 0;
  #homes: number;
  bareClaims = 0;

  constructor(upstream: FollowedHome, check: SignatureCheck, logId: string, term: number, head: () => Head) {
    this.#upstream = upstream;
    this.#check = check;
    this.#logId = logId;
    this.#homes = term;
    this.#head = head;
  }

  /** The term that was proven to this server and that its home is behind of; null while home is the highest that was heard of. */
  get sealed(): number | null {
    return this.#proven > this.#homes ? this.#proven : null;
  }

  get slow(): boolean {
    return false;
  }

  async checkpoint(challenge: string | null = null): Promise<string | null> {
    if (this.sealed !== null) return null;
    for (let tries = 0; tries < TRIES; tries++) {
      const text = await this.#upstream.prove(challenge);
      const checkpoint = text === null ? null : this.read(text);
      // Another term may have been proven here meanwhile.
      if (checkpoint === null || this.sealed !== null) return null;
      const { boot } = this.#upstream;
      // Of another process than the heartbeats that follow, it would look like a forgery.
      if (boot !== null && checkpoint.boot !== boot) continue;
      if (checkpoint.challenge === challenge && checkpoint.head >= this.#head().seq) return text;
    }
    return null;
  }

  heartbeat(): Promise<null> {
    return Promise.resolve(null);
  }

  soon(challenge: string | null): Promise<string | null> {
    return this.checkpoint(challenge);
  }

  async heardOfTerm(claimed: number, proof: string | null): Promise<void> {
    const text = proof === null ? null : Buffer.from(proof, 'base64url').toString('utf8');
    const checkpoint = text === null ? null : this.#genuine(text);
    if (checkpoint === null) {
      if (claimed > this.#homes) this.bareClaims++;
      return;
    }
    if (checkpoint.term <= Math.max(this.#homes, this.#proven)) return;
    this.#proven = checkpoint.term;
    this.#upstream.heardOfTerm(proof!);
  }

  ageMs(): Promise<number | null> {
    return Promise.resolve(this.sealed === null ? this.#upstream.provenAgo() : null);
  }

  /** Its store is its own. */
  learnSeal(): Promise<void> {
    return Promise.resolve();
  }

  /** A checkpoint that home signed for this log; null of anything else. */
  read(text: string): Checkpoint | null {
    const checkpoint = this.#genuine(text);
    if (checkpoint !== null) this.#homes = Math.max(this.#homes, checkpoint.term);
    return checkpoint;
  }

  #genuine(text: string): Checkpoint | null {
    const checkpoint = readOrNull(() => readCheckpoint(parseJsonText(text)));
    if (checkpoint?.log_id !== this.#logId) return null;
    return signatureHolds(checkpoint as unknown as JsonObject, this.#check) ? checkpoint : null;
  }
}
