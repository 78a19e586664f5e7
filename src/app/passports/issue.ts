import { agentId as formatAgentId, keyId as formatKeyId, keyNumber, principalId } from '../../protocol/identity/did.js';
import { wrongAgentNameText, wrongDomainText } from '../../protocol/identity/spelling.js';
import { toHex } from '../../protocol/hex.js';
import { looksLikeKeyAddress } from '../../protocol/identity/key-address.js';
import { formatPublicKey } from '../../protocol/identity/keys.js';
import { DEFAULT_KEY_OVERLAP_S, MAX_PREVIOUS_KEYS } from '../../protocol/limits.js';
import { passportBytes, readPassport, type Passport, type PassportDocument } from '../../protocol/passport.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { formatSeconds, parseTime } from '../../protocol/time.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { Failure, shellWord, usage } from '../failure.js';
import { discardKey, isTakenHere, newKey } from '../keys/keyring.js';
import { floorOf, nextSerial } from './floors.js';
import { requireCurrent } from './judge.js';
import { floorProblem } from '../../verify/checks/floor.js';
import { issuerKey, pinnedKeys, type PrincipalDeps } from '../keys/principals.js';
import type { SigningKey } from '../ports/signing-keys.js';
import type { KeyPlace, KeyRecord, Ledger, State } from '../ports/state.js';

/** What issuing a passport needs: the principal's key, what is known here, and the way to files. */
export interface IssueDeps extends PrincipalDeps {
  readonly state: PrincipalDeps['state'] &
    Pick<State, 'passport' | 'rememberPassport' | 'floors' | 'standing' | 'transact'>;
  readonly files: PassportFiles;
  /** What is wrong with a JSON Schema, as words that follow its name, or null. */
  readonly schemaProblem: (schema: JsonObject) => string | null;
}

/** Where passports are written. `settle` runs when the text is on the disk, just before the name is its; when it throws, nothing is written. */
export interface PassportFiles {
  /** Writes a new file; fails with EXISTS rather than overwrite. */
  create(path: string, text: string, settle: () => void): Promise<void>;
  /** Replaces a file as a whole: a reader sees the old one or the new one. */
  replace(path: string, text: string, settle: () => void): Promise<void>;
  exists(path: string): Promise<boolean>;
}

/** What a new passport is to say, and where it and the agent's key go. */
export interface PassportRequest {
  readonly name: string;
  readonly domain: string;
  readonly actions: PassportDocument['actions'];
  readonly deniedActions: readonly string[];
  readonly constraints: JsonObject;
  readonly metadata: JsonObject;
  /** ms from now; null for no expiry. */
  readonly expiresInMs: number | null;
  /** Null writes no file. */
  readonly path: string | null;
  readonly keyStore: KeyPlace;
  /** The agent's seed, where it has one already; made at random otherwise. */
  readonly seed?: Uint8Array;
  /** Where the principal's key goes when it has to be made. */
  readonly principalKeyStore: KeyPlace;
}

/** A passport that was issued here. */
export interface IssuedPassport {
  readonly passport: Passport;
  readonly path: string | null;
  readonly key: KeyRecord;
  readonly principalPublicKey: Uint8Array;
  /** The principal's key, when it was pinned for this passport. */
  readonly principalKeyPinned: { readonly record: KeyRecord; readonly made: boolean } | null;
}

/** Why this is no name of an agent; null when it is one. */
export function wrongName(name: string): string | null {
  const wrong = wrongAgentNameText(name);
  return wrong === null ? null : `${wrong}.`;
}

/** Why this is no domain; null when it is one. */
export function wrongDomain(domain: string): string | null {
  const wrong = wrongDomainText(domain);
  return wrong === null ? null : `${wrong}.`;
}

/**
 * Makes a key pair and a passport that its principal signs. Everything is checked before the first key is made, and a
 * failure on the way takes back the agent's key, unless a passport that names it is in force already.
 */
export async function createPassport(deps: IssueDeps, request: PassportRequest): Promise<IssuedPassport> {
  const { name, domain, path } = request;
  const wrong = wrongName(name) ?? wrongDomain(domain);
  if (wrong !== null) throw usage(wrong);
  const agent = formatAgentId(domain, name);
  const principal = principalId(domain);
  const serial = nextSerial(deps.state.floors(agent), 0);
  const draft = {
    version: 1,
    serial,
    agent_id: agent,
    agent_name: name,
    domain,
    principal,
    // No key that it had before, under a passport that was deleted, had this number: none had more keys than serials.
    key_id: formatKeyId(agent, serial),
    public_key: formatPublicKey(PLACEHOLDER_KEY),
    actions: request.actions,
    denied_actions: request.deniedActions,
    constraints: request.constraints,
    metadata: request.metadata,
    ...termFrom(deps.clock(), request.expiresInMs),
    previous_keys: [],
    issuer_key_id: formatKeyId(principal, 1),
  } as const;
  checkDraft(deps, draft);
  if (deps.state.passport(agent) !== null) {
    throw new Failure('EXISTS', `A passport of ${agent} is known here already.`, {
      hint: `for a new key: aip passport rotate ${name}; to change what it may do: aip passport update ${name} --help`,
    });
  }
  if (path !== null && (await deps.files.exists(path)))
    throw new Failure('EXISTS', `${path} exists already.`, {
      hint: `choose another file with --out, replace it with --force, or, if that is this agent's passport: aip passport import ${shellWord(path)}`,
    });

  // Before the principal's key is made: where the agent only asks for a passport, its principal is elsewhere.
  if (await isTakenHere(deps, draft.key_id, request.keyStore))
    throw new Failure(
      'EXISTS',
      `The key ${draft.key_id} is here already, made for a request or imported; it was left as it is.`,
      {
        hint: `have its principal sign the request, and import the passport: aip passport request ${name} --help`,
      },
    );

  const agents = () => newKey(deps, draft.key_id, request.keyStore, request.seed);
  let record: KeyRecord | null = null;
  let inForce = false;
  try {
    // A key that is asked is tried before the principal's is made: one that does not answer must leave nothing behind.
    const asked = looksLikeKeyAddress(request.keyStore) ? await agents() : null;
    record = asked?.record ?? null;
    const issuer = await issuerKey(deps, principal, request.principalKeyStore);
    const agentKey = asked ?? (await agents());
    record = agentKey.record;
    const passport = await signPassport(
      {
        ...draft,
        // Anew: a passphrase may have been typed meanwhile, and that takes nothing from the term.
        ...termFrom(deps.clock(), request.expiresInMs),
        public_key: formatPublicKey(agentKey.publicKey),
        issuer_key_id: issuer.key.keyId,
      },
      issuer.key,
    );
    await putInForce(deps, passport, { path, how: 'create' }, () => {
      deps.state.rememberKey(agentKey.record);
      inForce = true;
    });
    return {
      passport,
      path,
      key: agentKey.record,
      principalPublicKey: issuer.key.publicKey,
      principalKeyPinned: issuer.pinned === null ? null : { record: issuer.record, made: issuer.pinned === 'made' },
    };
  } catch (error) {
    if (record !== null && !inForce) await discardKey(deps, record);
    throw error;
  }
}

/** A passport whose agent gets another key. */
export interface RotationRequest {
  readonly passport: Passport;
  /** Null writes no file. */
  readonly path: string | null;
  /** How long the old key goes on verifying, in ms; null for a day. */
  readonly overlapMs: number | null;
  /** ms from now, null for no expiry; undefined keeps the passport's term. */
  readonly expiresInMs: number | null | undefined;
  readonly keyStore: KeyPlace;
}

/** Gives the agent key n+1, keeps the old one valid for the overlap, and has the principal sign again. */
export async function rotatePassport(deps: IssueDeps, request: RotationRequest): Promise<IssuedPassport> {
  const { passport, path } = request;
  const { document, agent } = passport;
  // An agent that edited its own file must not get the edit signed by having its key rotated.
  requireCurrent(deps.state, passport, deps.clock());
  const overlapMs = request.overlapMs ?? DEFAULT_KEY_OVERLAP_S * 1000;
  const numbers = [passport.currentKey, ...passport.previousKeys].map((key) => keyNumber(agent.id, key.keyId) ?? 0);
  const term = passport.expiresAt === null ? null : passport.expiresAt - passport.issuedAt;
  const expiresInMs = request.expiresInMs === undefined ? term : request.expiresInMs;
  const serial = nextSerial(deps.state.floors(agent.id), passport.serial);

  const issuer = await issuerKey(deps, document.principal, null);
  const agentKey = await newKey(deps, formatKeyId(agent.id, Math.max(...numbers) + 1), request.keyStore);
  let inForce = false;
  try {
    const former = [document, ...document.previous_keys].find(
      ({ public_key }) => public_key === formatPublicKey(agentKey.publicKey),
    );
    if (former !== undefined)
      throw usage(
        `The key is the one that ${former.key_id} is: a rotation takes a new key.`,
        'make a new one there, and name it',
      );
    const { issuer_signature: _, ...rest } = document;
    // Once both keys are open: a passphrase that takes its time to be typed takes nothing from the overlap.
    const now = deps.clock();
    const retired = {
      key_id: document.key_id,
      public_key: document.public_key,
      valid_until: formatSeconds(now + overlapMs),
    };
    const stillValid = document.previous_keys.filter((key) => (parseTime(key.valid_until) ?? 0) > now);
    const renewed = await signPassport(
      {
        ...rest,
        serial,
        key_id: agentKey.keyId,
        public_key: formatPublicKey(agentKey.publicKey),
        // Later than the one it takes the place of, also within a second: by this the old one is refused from now on.
        ...termFrom(now, expiresInMs),
        issued_at: formatSeconds(Math.max(now, passport.issuedAt + 1000)),
        previous_keys: [retired, ...stillValid].slice(0, MAX_PREVIOUS_KEYS),
        issuer_key_id: issuer.key.keyId,
      },
      issuer.key,
    );
    await putInForce(deps, renewed, { path, how: 'replace' }, () => {
      deps.state.rememberKey(agentKey.record);
      inForce = true;
    });
    return {
      passport: renewed,
      path,
      key: agentKey.record,
      principalPublicKey: issuer.key.publicKey,
      principalKeyPinned: null,
    };
  } catch (error) {
    if (!inForce) await discardKey(deps, agentKey.record);
    throw error;
  }
}

function termFrom(now: number, expiresInMs: number | null): Pick<PassportDocument, 'issued_at' | 'expires_at'> {
  return { issued_at: formatSeconds(now), expires_at: expiresInMs === null ? null : formatSeconds(now + expiresInMs) };
}

/** The text of a passport file, or of a draft: indented, because people read and review it. */
export function passportText(document: Omit<PassportDocument, 'issuer_signature'>): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** The base point of the curve, standing in for a key while the rest of a draft is checked. */
export const PLACEHOLDER_KEY = Uint8Array.from([0x58, ...Array<number>(31).fill(0x66)]);

/** What to write instead of a schema that cannot be used. */
export const SCHEMA_HINT = 'params are JSON Schema 2020-12 without "format": say with "pattern" what a text looks like';

/** Fails when the draft could not be issued: nothing is signed or made before. */
export function checkDraft(deps: IssueDeps, draft: Omit<PassportDocument, 'issuer_signature'>): void {
  let passport: Passport;
  try {
    passport = parsed({ ...draft, issuer_signature: '0'.repeat(128) });
  } catch (error) {
    if (error instanceof ShapeError)
      throw usage(`This passport would be invalid (AIP-E103): ${error.reason}.`, 'aip help constraints');
    throw error;
  }
  for (const [name, schema] of passport.actions) {
    const problem = schema === null ? null : deps.schemaProblem(schema);
    if (problem !== null) throw usage(`The params schema of action "${name}" ${problem}.`, SCHEMA_HINT);
  }
}

/** The draft as its principal signs it. */
export async function signPassport(
  unsigned: Omit<PassportDocument, 'issuer_signature'>,
  key: SigningKey,
): Promise<Passport> {
  try {
    return parsed({ ...unsigned, issuer_signature: toHex(await key.sign(passportBytes(unsigned))) });
  } catch (error) {
    // A passport of another's making can be too long once it is written on many lines and carries a former key.
    if (error instanceof ShapeError)
      throw usage(`This passport would be invalid (AIP-E103): ${error.reason}.`, 'aip help passports');
    throw error;
  }
}

/** Through the same door as every stranger's passport: what we write, we can read. */
function parsed(document: PassportDocument): Passport {
  return readPassport(Buffer.from(passportText(document), 'utf8'));
}

/** Where a passport that was signed here is written: to a new file, or in the place of another; to none for null. */
export interface PassportTarget {
  readonly path: string | null;
  readonly how: 'create' | 'replace';
}

/**
 * Makes a passport that was signed here the known one, and the least that counts from now on. `also` is part of the same transaction.
 * @throws Failure EXISTS or PASSPORT_REFUSED, and nothing is kept, where another one of this serial or above came meanwhile, while a key was
 *   opened or a person asked: this one would undo what that one changed; and as `PassportFiles` where only its file could not be written, and says so
 */
export async function putInForce(
  deps: IssueDeps,
  passport: Passport,
  { path, how }: PassportTarget,
  also: (ledger: Ledger) => void = () => {},
): Promise<void> {
  const { agent, document } = passport;
  const text = passportText(document);
  let kept = false;
  const remember = (): void => {
    const now = deps.clock();
    const floor = floorOf(passport, pinnedKeys(deps.state.pins(document.principal)), now);
    deps.state.transact((ledger) => {
      if (floorProblem(passport, ledger.floors(agent.id)) !== null) throw overtaken(agent, how);
      if (floor !== null) ledger.raiseFloor(floor);
      deps.state.rememberPassport({ agentId: agent.id, name: agent.name, text, path, addedAt: now });
      also(ledger);
    });
    kept = true;
  };
  if (path === null) return remember();
  await deps.files[how](path, text, remember).catch((error: unknown) => {
    throw kept && error instanceof Failure ? unwritten(agent, error) : error;
  });
}

function unwritten({ name }: Passport['agent'], cause: Failure): Failure {
  return new Failure(cause.code, `${cause.message} The passport is in force all the same.`, {
    hint: `aip passport show ${name} --json prints it`,
    cause,
  });
}

function overtaken({ id, name }: Passport['agent'], how: PassportTarget['how']): Failure {
  const message = `Another passport of ${id} was signed or came here meanwhile. Nothing was changed.`;
  return new Failure(how === 'create' ? 'EXISTS' : 'PASSPORT_REFUSED', message, {
    hint: `see what it says, and give the command again if it is still wanted: aip passport show ${name}`,
    retryable: true,
  });
}
