/** Who may pass: API keys, their roles, the operators' signatures, and what failing costs. */
import { keyMatches, parseApiKey } from '../../access/api-key.js';
import { formatPublicKey, parsePublicKey } from '../../../protocol/identity/keys.js';
import { readSignature, signatureBase, type SignatureParams } from '../../access/http-signature.js';
import type { SignedMark } from '../../log/event.js';
import { COMMAND_MAX_AGE_MS, COMMAND_MAX_SKEW_MS } from '../../limits.js';
import { Refused } from '../../refusal.js';
import { mayAct, type Role } from '../../access/roles.js';
import { deniesAt } from '../../standing.js';
import type { MeshStore } from '../../log/store.js';
import type { Caller, Request, ServerClock } from './exchange.js';

/** Wrong keys that an address may try at once, and how often it may try another, in ms. */
const FAILURE_BURST = 20;
const FAILURE_REFILL_MS = 3_000;
const MAX_ADDRESSES = 10_000;

/** A signature over exactly this request, whose nonce is still to be spent. */
export interface OperatorSignature {
  readonly mark: SignedMark;
  readonly nonce: { readonly value: string; readonly keepUntil: number };
}

/** What the gate is made with. */
export interface GateOptions {
  readonly requireSignedCommands: boolean;
  /** Verifies `signature` (128 hex digits) of the key `ed25519:<hex>` over the UTF-8 bytes of `text`. */
  readonly verify: (publicKey: string, text: string, signature: string) => boolean;
  /** Looks for keys that were made elsewhere; true when it did. */
  readonly refresh?: (() => Promise<boolean>) | undefined;
}

/** Who asks, and whether they may: before anything of a body is read. */
export class Gate {
  readonly #store: MeshStore;
  readonly #clock: ServerClock;
  readonly #options: GateOptions;
  /** Tokens left per address; only addresses that failed are here. */
  readonly #failures = new Map<string, { left: number; at: number }>();
  failures = 0;

  constructor(store: MeshStore, clock: ServerClock, options: GateOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#options = options;
  }

  /** The caller, who has at least `needed`. A valid key always passes, whatever its address did before: denies must not wait. */
  async admit(request: Request, needed: Role): Promise<Caller> {
    const match = /^Bearer ([\x21-\x7e]+)$/i.exec(request.headers.authorization ?? '');
    const key = match === null ? null : parseApiKey(match[1]!);
    let record = key === null ? null : await this.#store.keys.find(key.keyId);
    // What home has made since the last look is let in here as well.
    if (key !== null && record === null && (await this.#options.refresh?.()) === true)
      record = await this.#store.keys.find(key.keyId);
    if (key === null || record === null || !keyMatches(key, record)) {
      this.#failed(request.remote);
      throw new Refused('UNAUTHENTICATED', 'The API key is missing, unknown or revoked.');
    }
    if (!mayAct(record.role, needed)) {
      throw new Refused('FORBIDDEN', `This takes the role ${needed}; the key has the role ${record.role}.`);
    }
    return { key: record };
  }

  /** The operator's signature over `request`, checked; null when there is none and none is required. */
  async signature(request: Request, caller: Caller): Promise<OperatorSignature | null> {
    const read = readSignature(request.headers, request.body);
    if (read.kind === 'none') {
      if (!this.#options.requireSignedCommands) return null;
      throw new Refused('SIGNATURE_REQUIRED', "This mesh takes commands only with the operator's signature.");
    }
    if (read.kind === 'malformed') throw new Refused('SIGNATURE_INVALID', `${read.reason}.`);
    const { params, signature } = read;
    const { publicKey } = caller.key;
    if (publicKey === null) throw new Refused('SIGNATURE_INVALID', 'No signing key is registered for this API key.');
    const digest = request.headers['content-digest']!;
    const base = signatureBase(request.method, request.path, digest, params.text);
    // The API key says which key it must be; a key id that spells another key contradicts it, any other is the signer's own name.
    const spelled = params.keyId === null ? null : parsePublicKey(params.keyId);
    const contradicts = spelled !== null && formatPublicKey(spelled) !== publicKey;
    if (contradicts || !this.#options.verify(publicKey, base, signature)) {
      throw new Refused('SIGNATURE_INVALID', 'The signature does not hold under the signing key of this API key.');
    }
    const standing = await this.#store.standing(publicKey);
    if (standing !== null && deniesAt(standing, this.#clock.wall()))
      throw new Refused(
        'KEY_DENIED',
        `The operator's key ${publicKey} is ${standing.status}: give the command with another one.`,
        {
          subject: publicKey,
        },
      );
    const { method, path } = request;
    return {
      mark: { public_key: publicKey, method, path, content_digest: digest, params: params.text, signature },
      nonce: { value: `${caller.key.keyId}:${params.nonce}`, keepUntil: this.#freshUntil(params) },
    };
  }

  #freshUntil(params: SignatureParams): number {
    const created = params.created * 1000;
    const age = this.#clock.wall() - created;
    if (age > COMMAND_MAX_AGE_MS) throw new Refused('COMMAND_EXPIRED', 'The signature is older than five minutes.');
    if (age < -COMMAND_MAX_SKEW_MS) throw new Refused('COMMAND_EXPIRED', 'The signature was made in the future.');
    if (params.expires !== null && this.#clock.wall() > params.expires * 1000)
      throw new Refused('COMMAND_EXPIRED', 'The signature arrived after it expired.');
    return created + 2 * COMMAND_MAX_AGE_MS;
  }

  #failed(address: string): void {
    this.failures++;
    const now = this.#clock.up();
    const bucket = this.#failures.get(address) ?? { left: FAILURE_BURST, at: now };
    const left = Math.min(FAILURE_BURST, bucket.left + (now - bucket.at) / FAILURE_REFILL_MS);
    this.#failures.delete(address);
    if (this.#failures.size >= MAX_ADDRESSES) this.#failures.delete(this.#failures.keys().next().value!);
    this.#failures.set(address, { left: Math.max(0, left - 1), at: now });
    if (left < 1) throw new Refused('RATE_LIMITED', 'Too many wrong keys from this address.');
  }
}
