/** What a mesh answers, read strictly: an answer that is not whole is a failure, never a half-known fact. */
import { MAX_ANSWER_BYTES } from '../../mesh/limits.js';
import { DOCUMENT_BOUNDS } from '../../protocol/json/bounds.js';
import { JsonError, parseJsonText } from '../../protocol/json/parse.js';
import { jsonObjectIn, ShapeError } from '../../protocol/json/shape.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import { Failure, type FailureCode, type FailureOptions } from '../failure.js';
import type { MeshCall, MeshEndpoint, MeshReply } from '../ports/mesh.js';

/** Asks, and gives what `read` makes of the answer. Fails with NETWORK when the mesh cannot be reached or says no. */
export async function askMesh<T>(line: MeshEndpoint, call: MeshCall, read: (answer: JsonObject) => T): Promise<T> {
  const reply = await line.ask(call);
  if (reply.kind === 'unreachable') throw unreachable(line, reply.reason);
  const answer = positiveAnswer(line, reply.status, reply.body);
  return understood(line, () => read(answer));
}

/** Asks the endpoints in order, and gives what `read` makes of the first answer. @throws Failure NETWORK, FORBIDDEN */
export async function askFirst<T>(
  lines: readonly MeshEndpoint[],
  call: MeshCall,
  read: (answer: JsonObject) => T,
): Promise<T> {
  let failure: Failure | null = null;
  for (const line of lines) {
    const told = resultOf(line, await line.ask(call), read);
    if (told.kind === 'done') return told.value;
    if (told.kind === 'refused') throw told.failure;
    failure ??= unheard(line, told.what, null);
  }
  throw failure!;
}

/** More pages than any list of a mesh has: one that goes on beyond is broken, or means harm. */
const MOST_PAGES = 2_000;

/**
 * All pages of a list: `page` gets the place that a page begins after, null for the first. Half a list would hide what should be stopped.
 * @throws Failure NETWORK for a list that does not end
 */
export async function everyPage<T>(
  line: MeshEndpoint,
  page: (after: string | null) => Promise<{ readonly items: readonly T[]; readonly next: string | null }>,
): Promise<T[]> {
  const items: T[] = [];
  let after: string | null = null;
  for (let pages = 0; pages < MOST_PAGES; pages++) {
    const read = await page(after);
    items.push(...read.items);
    if (read.next === null) return items;
    if (read.next === after) break;
    after = read.next;
  }
  throw malformed(line, 'its list does not end');
}

/** What `read` makes of an answer. Fails with NETWORK where it throws ShapeError: the answer is not the document that it should be. */
export function understood<T>(line: MeshEndpoint, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw malformed(line, error.reason);
  }
}

/** Holds an answer to what was asked: one that was mixed up, or kept from another time, speaks of something else. @throws ShapeError */
export function requireAsked<Member extends string>(
  answer: NoInfer<Readonly<Record<Member, string>>>,
  asked: Readonly<Record<Member, string>>,
): void {
  for (const member of Object.keys(asked) as Member[])
    if (answer[member] !== asked[member]) throw new ShapeError(`"${member}" is not what was asked for`);
}

/** The JSON object of an answer that says yes. */
export function positiveAnswer(line: MeshEndpoint, status: number, body: string): JsonObject {
  let value: Json;
  try {
    // A list is larger than the documents in it may be.
    value = parseJsonText(body, null, { ...DOCUMENT_BOUNDS, bytes: MAX_ANSWER_BYTES });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new Failure('NETWORK', `${line.url} answered ${status} with something that is no mesh's answer.`, {
      hint: 'check mesh.url: aip config list --sources',
    });
  }
  if (status === 200 || status === 201) {
    if (isObject(value)) return value;
    throw malformed(line, 'the answer is no object');
  }
  throw refusedBy(line, status, isObject(value) ? value : {});
}

/** AIP-E500 of a question: there was nothing to change. */
export function unreachable(line: MeshEndpoint, reason: string): Failure {
  return unavailable(line, `cannot be reached: ${reason}`, '');
}

/** The mesh itself says no. */
class MeshRefusal extends Failure {
  /** The code that the mesh gave. */
  readonly refusal: string;

  constructor(code: FailureCode, message: string, options: FailureOptions, refusal: string) {
    super(code, message, options);
    this.refusal = refusal;
  }
}

/** True where the mesh refused with this code. */
export function isRefusedAs(error: unknown, refusal: string): boolean {
  return error instanceof MeshRefusal && error.refusal === refusal;
}

/** What is known of a request that changes something: done, refused, or not heard of. */
export type MeshResult<T> =
  | { readonly kind: 'done'; readonly value: T }
  /** The mesh itself says no. */
  | { readonly kind: 'refused'; readonly failure: Failure }
  /** No answer tells what the mesh did. `unsure`: it may have been carried out. */
  | { readonly kind: 'unheard'; readonly what: string; readonly unsure: boolean };

/** How a region refuses what home alone can answer. */
const HOME_UNREACHABLE = 'HOME_UNREACHABLE';

/** How a server refuses that the mesh has left behind, and a region whose home is such a server. */
const MESH_SEALED = 'MESH_SEALED';

/** Refusals that say of themselves that nothing was written: another endpoint, or a later moment, may take it. */
const NOTHING_DONE: readonly string[] = ['BUSY', 'SHUTTING_DOWN', 'STORE_UNAVAILABLE', MESH_SEALED, HOME_UNREACHABLE];

/** Why a server of the mesh that is there answers no question now (503). */
export function whySilent(body: string): string {
  return refusalIn(body) === HOME_UNREACHABLE
    ? `home, which it follows, does not answer it (${HOME_UNREACHABLE})`
    : 'it is ending, or busy';
}

/** An answer of a proxy, or of a server that broke, says nothing of what became of the request: it may be on disk already. */
export function resultOf<T>(line: MeshEndpoint, reply: MeshReply, read: (answer: JsonObject) => T): MeshResult<T> {
  if (reply.kind === 'unreachable')
    return { kind: 'unheard', what: `cannot be reached: ${reply.reason}`, unsure: reply.sent };
  const { status, body } = reply;
  const unsure = status < 300 || status >= 500;
  try {
    const answer = positiveAnswer(line, status, body);
    return { kind: 'done', value: understood(line, () => read(answer)) };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error instanceof MalformedAnswer) return { kind: 'unheard', what: error.what, unsure };
    const code = refusalIn(body);
    if (code !== null && NOTHING_DONE.includes(code))
      return { kind: 'unheard', what: `takes nothing now${whereItGoesOn(body)} (${code})`, unsure: false };
    if (code !== null && !unsure) return { kind: 'refused', failure: error };
    return { kind: 'unheard', what: `answered ${status} with ${code ?? "something that is no mesh's answer"}`, unsure };
  }
}

/** AIP-E500 of a request that changes something. `doubt`: what to do where it may have been carried out; null where it was not. */
export function unheard(line: MeshEndpoint, what: string, doubt: string | null): Failure {
  return unavailable(line, what, doubt ?? 'Nothing was changed.');
}

/** AIP-E500 of a mesh that gave no answer that could be used; `changed` says what became of the change that was asked for. */
export function unavailable(line: MeshEndpoint, what: string, changed: string): Failure {
  return new Failure(
    'NETWORK',
    `AIP-E500 MESH_UNAVAILABLE: ${line.url} ${what}.${changed === '' ? '' : ` ${changed}`}`,
    {
      hint: hintFor(what) ?? `check that it is up: curl ${line.url}/healthz`,
      retryable: !what.includes(MESH_SEALED),
    },
  );
}

/** The code by which a mesh says no; null in whatever else may come from its address. */
function refusalIn(body: string): string | null {
  const code = jsonObjectIn(body)?.code;
  return typeof code === 'string' ? code : null;
}

/** Names the term of the server that took over from one that is sealed. */
function whereItGoesOn(body: string): string {
  const details = jsonObjectIn(body)?.details;
  const term = isObject(details) ? details.term : undefined;
  return typeof term === 'number' ? `: the mesh has gone on elsewhere, in term ${term}` : '';
}

/** It is up, and something else is wrong. */
function hintFor(reason: string): string | null {
  if (reason.includes(MESH_SEALED))
    return 'point mesh.url at the server that was promoted: aip config list --sources; the runbook: aip help growing';
  if (reason.includes(HOME_UNREACHABLE)) return 'aip mesh status names home; where it is lost: aip help growing';
  if (reason.includes('ERR_TLS_CERT_ALTNAME_INVALID'))
    return 'use the name in its certificate: aip mesh serve --public-url <url> there, aip mesh join <url> here';
  if (/SELF_SIGNED_CERT|UNABLE_TO_(?:VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT)/.test(reason))
    return 'for an authority of your own, give its certificate (PEM): AIP_MESH_CA=<file>, or mesh.ca in the config';
  if (/CERT_(?:HAS_EXPIRED|NOT_YET_VALID)/.test(reason))
    return 'renew the certificate of aip mesh serve there, and start it again; if it is in force, the clock here is wrong: date';
  if (reason.includes('mesh.ca:')) return 'correct mesh.ca: aip config list --sources';
  if (reason.startsWith(UNREADABLE)) return OTHER_VERSION_HINT;
  if (/^answered [234]/.test(reason)) return 'check mesh.url: aip config list --sources';
  return null;
}

const UNREADABLE = 'sent an answer that cannot be read';
const OTHER_VERSION_HINT =
  'check the URL, which aip mesh serve printed (aip config list --sources shows mesh.url); a mesh of an earlier version is upgraded first: aip help upgrade';

/** A mesh's yes in another form than this version reads. */
class MalformedAnswer extends Failure {
  /** What the endpoint did, without its name. */
  readonly what: string;

  constructor(line: MeshEndpoint, reason: string) {
    const what = `${UNREADABLE}: ${reason}`;
    super('NETWORK', `${line.url} ${what}.`, { hint: OTHER_VERSION_HINT });
    this.what = what;
  }
}

/** The failure of an answer that is not what this version reads. */
export function malformed(line: MeshEndpoint, what: string): Failure {
  return new MalformedAnswer(line, what);
}

/** What to do about an API key that the mesh refuses. */
export const KEY_HINT = 'get a key that is in force: aip mesh key create, where an admin is; then aip mesh join';

const HINTS: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: KEY_HINT,
  FORBIDDEN: 'use a key with a higher role: AIP_MESH_KEY=<key>, or aip mesh join',
  SIGNATURE_REQUIRED:
    'with an API key that was made with your public key (aip mesh key create --public-key <key>): aip mesh join <url> --operator-key <did>',
  SIGNATURE_INVALID: 'the API key must be made with your public key: aip mesh key create --public-key <key>',
  COMMAND_EXPIRED: 'check the clock: aip doctor',
  VERSION_CONFLICT: 'look again: aip status <agent>',
};

/** How a mesh refuses a path that it has not; the first version looked at the body first. */
const NO_SUCH_PATH = /^(?:There is nothing at this path|The body of this request may have 0 bytes)/;

function refusedBy(line: MeshEndpoint, status: number, { code, message, retryable }: JsonObject): MeshRefusal {
  const name = typeof code === 'string' ? code : `status ${status}`;
  const text = typeof message === 'string' ? message : 'no reason given';
  const hint = NO_SUCH_PATH.test(text) ? OTHER_VERSION_HINT : HINTS[name];
  // A role that does not permit is no trouble of the network: another try ends the same way.
  const forbidden = name === 'FORBIDDEN';
  const told = forbidden || name === 'NOT_FOUND';
  return new MeshRefusal(
    forbidden ? 'FORBIDDEN' : 'NETWORK',
    `The mesh at ${line.url} refused${told ? '' : ` (${name})`}: ${text}`,
    {
      ...(hint === undefined ? {} : { hint }),
      retryable: retryable === true,
    },
    name,
  );
}
