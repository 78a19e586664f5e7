import { usage } from '../app/failure.js';
import { passportText } from '../app/passports/issue.js';
import { createFile, readDocument, replaceFile } from '../workspace/files.js';
import type { Passport, PassportDocument } from '../protocol/passport.js';
import type { JsonObject } from '../protocol/json/values.js';
import { onlyKnown, textOption } from './options/given.js';

/** What a passport needs of the workspace it came from. */
export interface PassportHome {
  /** Notes the file that a known passport was written to, for `aip passport rotate` and its like. */
  readonly written: (passport: Passport, path: string) => Promise<void>;
}

const SAVE: ReadonlySet<string> = new Set(['overwrite']);
const parsed = new WeakMap<AgentPassport, Passport>();

/**
 * Who an agent is and what it may do, signed by its principal. Public: it holds no private key, and editing it only makes
 * it invalid. Comes from `createPassport` and `loadPassport`.
 */
export class AgentPassport {
  /** `did:web:<domain>:agents:<name>`. */
  readonly agentId: string;
  /** The last part of `agentId`, which known agents are found by as well. */
  readonly name: string;
  /** The one in `agentId`. */
  readonly domain: string;
  /** `did:web:<domain>`: who answers for the agent, and signed this. */
  readonly principal: string;
  /** The key that the agent signs with, `<agentId>#key-<n>`. */
  readonly keyId: string;
  /** `ed25519:` and 64 hex digits. */
  readonly publicKey: string;
  /** Names of the declared actions. */
  readonly actions: readonly string[];
  /** As written: `aip help constraints`. */
  readonly constraints: JsonObject;
  /** RFC 3339 UTC. */
  readonly issuedAt: string;
  /** RFC 3339 UTC; null for no expiry. */
  readonly expiresAt: string | null;
  /** The signed document, as its file holds it. */
  readonly document: PassportDocument;
  readonly #home: PassportHome;

  /** @internal */
  constructor(passport: Passport, home: PassportHome) {
    const { agent, document, currentKey, actions } = passport;
    this.agentId = agent.id;
    this.name = agent.name;
    this.domain = agent.domain;
    this.principal = document.principal;
    this.keyId = currentKey.keyId;
    this.publicKey = document.public_key;
    this.actions = [...actions.keys()];
    this.constraints = document.constraints;
    this.issuedAt = document.issued_at;
    this.expiresAt = document.expires_at;
    this.document = document;
    this.#home = home;
    parsed.set(this, passport);
  }

  /**
   * Writes the passport to a file. The same passport may be written twice; over anything else only with `overwrite`.
   * @throws Failure EXISTS, UNREADABLE
   */
  async save(path: string, options: { readonly overwrite?: boolean } = {}): Promise<void> {
    onlyKnown(options, SAVE, 'save');
    textOption(path, 'path');
    const text = passportText(this.document);
    const there = options.overwrite === true ? null : await readDocument(path);
    if (options.overwrite === true) await replaceFile(path, text);
    else if (there === null || Buffer.from(there).toString('utf8') !== text) await createFile(path, text);
    await this.#home.written(parsedOf(this), path);
  }

  /** The signed document, so that `JSON.stringify(passport)` is a passport. */
  toJSON(): PassportDocument {
    return this.document;
  }
}

/** The parsed passport behind what the caller holds. */
export function parsedOf(passport: AgentPassport): Passport {
  const found = parsed.get(passport);
  if (found === undefined) throw usage('This is not a passport of this library.', 'use createPassport or loadPassport');
  return found;
}
