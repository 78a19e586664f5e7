/** Makes a server that followed, or was sealed, the home of the mesh: under a greater term, with the mesh's key brought by hand. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, shellWord } from '../../../app/failure.js';
import type { FindSigningKey } from '../../../app/ports/signing-keys.js';
import type { Head } from '../../../mesh/log/head.js';
import type { MeshSigner } from '../../../mesh/log/signing.js';
import { unsignedCheckpoint } from '../../../mesh/log/checkpoint.js';
import { homeJson } from '../../../mesh/regions/documents.js';
import { promotedMembers, type ToldMember } from '../../../mesh/regions/told-roster.js';
import { toHex } from '../../../protocol/hex.js';
import { looksLikeKeyAddress, type KeyAddressText } from '../../../protocol/identity/key-address.js';
import { formatPublicKey, formatSeed, parsePublicKey, parseSeed } from '../../../protocol/identity/keys.js';
import { canonicalize } from '../../../protocol/json/canonical.js';
import { formatTime } from '../../../protocol/time.js';
import { createPrivate } from '../../files/secret/private-file.js';
import { checkOf, signerOf } from '../mesh-key.js';
import { FOLLOWS } from '../server/data-folder.js';
import { readMeshKey } from '../server/mesh-key-file.js';
import { keyInBackup } from '../sqlite/backup.js';
import type { MeshStore } from '../../../mesh/log/store.js';
import { Unreachable } from '../../http/mesh-client.js';
import { SqliteMeshStore } from '../sqlite/store.js';
import { Copier, HOME_HEARD, NOTED_MS, OtherHistory, provenTerm } from './copying.js';
import { HOME_ROSTER, HomeLine } from './home-line.js';
import { homeDocument } from './answers.js';

export interface PromotionOptions {
  readonly folder: string;
  /** The database that holds the log; null where that is in the folder. */
  readonly store: MeshStore | null;
  /** A backup of the mesh, or a copy of its `mesh.key`; null where the folder holds the key. */
  readonly keyFile: string | null;
  /** Where the key of the mesh is asked; null where a file has it. */
  readonly key: KeyAddressText | null;
  readonly find: FindSigningKey;
  /** The operator says that home is off and stays off. */
  readonly homeIsOff: boolean;
  /** The longest that a verifier goes by its copy, ms: what home last signed is then worth nothing any more. */
  readonly staleMs: number;
  /** The API key of role region; null where there is none. */
  readonly regionKey: string | null;
  readonly ca: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => number;
  readonly randomHex: (bytes: number) => string;
}

export interface Promoted {
  readonly logId: string;
  readonly head: number;
  readonly term: number;
  readonly publicKey: string;
  /** The home that was sealed; null where it was said to be off, or this store was sealed itself. */
  readonly sealed: string | null;
  /** How many verifiers are on its roster; null where it followed, and home never told who should be listening. */
  readonly roster: number | null;
}

/** @throws Failure NOT_FOUND, USAGE, STATE, NETWORK */
export async function promote(options: PromotionOptions): Promise<Promoted> {
  const path = join(options.folder, 'mesh.db');
  if (options.store === null && !existsSync(path))
    throw new Failure('NOT_FOUND', `There is no mesh in ${options.folder}.`, {
      hint: '--data <dir> names another folder',
    });
  const store = options.store ?? new SqliteMeshStore(path, () => '');
  try {
    const publicKey = await store.meshKey();
    const held = options.key ?? heldIn(options);
    const own = await ownKey(held, publicKey, options.find);
    if (own.publicKey !== publicKey)
      throw new Failure(
        'STATE',
        `The key is of another mesh than the log in ${store.shared ? 'the database' : options.folder}.`,
        {
          hint: 'take it from a backup of this mesh: aip mesh backup <file>, at home',
        },
      );
    const sealedBy = await store.sealedBy();
    const home = (await store.notes.get(FOLLOWS)) ?? '';
    // Of a database that lost its end only the operator knows, and then all of its servers are stopped.
    if (home === '' && sealedBy === null && !(store.shared && options.homeIsOff))
      throw store.shared
        ? new Failure(
            'STATE',
            'The mesh in the database is home already, and not sealed: there is nothing to promote.',
            {
              hint: 'aip mesh serve --store <url>; where the database lost its end, and all servers are stopped: --home-is-off',
            },
          )
        : new Failure('STATE', `${options.folder} is home already, and not sealed: there is nothing to promote.`, {
            hint: `aip mesh serve --data ${shellWord(options.folder)}`,
          });
    const { sealed, term } =
      home === ''
        ? { sealed: null, term: await nextTerm(store, sealedBy) }
        : await sealHome(home, store, { ...options, own });
    // The key first: a store of a new history without its key could not be served.
    if (!existsSync(join(options.folder, 'mesh.key')))
      createPrivate(join(options.folder, 'mesh.key'), `${held}\n`, options.randomHex(6));
    await store.raiseTerm(term);
    const { logId, seq } = await store.head();
    const told = await takeRoster(store, { head: seq, now: options.now() });
    await store.notes.put(FOLLOWS, '');
    const members = (await store.members.list(-1)).filter(({ leftAt }) => leftAt === null);
    return { logId, head: seq, term, publicKey, sealed, roster: home === '' || told ? members.length : null };
  } catch (error) {
    if (!(error instanceof OtherHistory)) throw error;
    throw new Failure('STATE', `${error.message}: it has gone on elsewhere. Nothing was changed here.`, {
      hint: 'follow it again, which tells the two apart: aip mesh serve --follow <url>',
      cause: error,
    });
  } finally {
    await store.close();
  }
}

/**
 * A term that is greater than all that this store knows of. A home that was restored has one without an event of it: a term that is no greater
 * seals nobody, and no verifier goes by it. `elsewhere`: one that was proven to home.
 */
async function nextTerm(store: MeshStore, elsewhere: number | null): Promise<number> {
  const known = [store.term, (await store.head()).term, await provenTerm(store), (await store.sealedBy()) ?? 0];
  return Math.max(...known, elsewhere ?? 0) + 1;
}

/** Who should listen, as home told it last: from now on each is missed here. False where home told none. */
async function takeRoster(store: MeshStore, at: { readonly head: number; readonly now: number }): Promise<boolean> {
  const note = (await store.notes.get(HOME_ROSTER)) ?? '';
  if (note === '') return false;
  const told = homeJson(note) as unknown as readonly ToldMember[];
  await store.members.put(promotedMembers(told, await store.members.list(-1), at));
  await store.notes.put(HOME_ROSTER, '');
  return true;
}

/** The key of the mesh. `held`: its seed, or its address. */
async function ownKey(held: string, known: string | null, find: FindSigningKey): Promise<OwnKey> {
  if (!looksLikeKeyAddress(held)) return signerOf(parseSeed(held)!);
  const key = await find(held, known === null ? null : parsePublicKey(known));
  return { sign: async (text) => toHex(await key.sign(Buffer.from(text))), publicKey: formatPublicKey(key.publicKey) };
}

function heldIn({ keyFile, folder }: PromotionOptions): string {
  const path = keyFile ?? join(folder, 'mesh.key');
  if (keyFile === null && !existsSync(path))
    throw new Failure('USAGE', "The mesh's private key is not here: a follower never holds it.", {
      hint: 'bring it by hand: --mesh-key-file <file>, a backup that aip mesh backup wrote at home; or --key <address>, where it is asked',
    });
  if (!existsSync(path)) throw new Failure('NOT_FOUND', `There is no file ${path}.`);
  const text = keyInBackup(path) ?? readMeshKey(path);
  if (looksLikeKeyAddress(text)) return text;
  const seed = parseSeed(text);
  if (seed === null)
    throw new Failure('STATE', `${path} holds no key of a mesh.`, { hint: 'aip mesh backup <file>, at home' });
  return formatSeed(seed);
}

interface Sealing extends PromotionOptions {
  readonly own: OwnKey;
}

/** The home that was sealed, null where it was said to be off; and the term of the history that begins here. */
type Sealed = Pick<Promoted, 'sealed' | 'term'>;

interface OwnKey {
  readonly sign: MeshSigner;
  /** `ed25519:<64 hex>`. */
  readonly publicKey: string;
}

/** Home seals itself on the proof of the new term, and gives what is missing here; or it is off for longer than anybody believes it. */
async function sealHome(home: string, store: MeshStore, options: Sealing): Promise<Sealed> {
  const { own, regionKey, ca, env, folder, randomHex, now } = options;
  const check = checkOf(own.publicKey)!;
  // Who followed home in the clear was permitted to when that began.
  const reach = { ca, env, insecureHttp: true };
  const line = new HomeLine({ url: home, key: regionKey ?? 'none', check, folder, randomHex, now, ...reach });
  let elsewhere: number | null = null;
  try {
    const copier = new Copier(line, store, check, now);
    // Home speaks first: it may have begun a history while this server was off, or be sealed by one that was promoted already.
    const heard = regionKey !== null && (await copier.catchUp());
    if (heard) elsewhere = await sealedTerm(line);
    const term = await nextTerm(store, elsewhere);
    line.proof = await proofOf(await store.head(), term, options);
    // This question carries the proof: from its answer on, home takes no command.
    const reached = heard && (await copier.catchUp());
    const isDone = reached && (await isSealed(line, term));
    if (reached && !isDone)
      throw new Failure('STATE', `${home} answers, and did not seal itself. Nothing was changed here.`, {
        hint: 'is it the home of this mesh, and of this version? aip mesh status there',
      });
    // What it took before it was sealed.
    if (isDone && (await copier.catchUp())) return { sealed: home, term };
  } catch (error) {
    // It has gone off between two questions.
    if (!(error instanceof Unreachable)) throw error;
  } finally {
    line.close();
  }
  await requireOff(home, store, options);
  return { sealed: null, term: await nextTerm(store, elsewhere) };
}

async function proofOf(head: Head, term: number, { own, now, randomHex }: Sealing): Promise<string> {
  const at = { time: formatTime(now()), upMs: 0, boot: randomHex(8) };
  const body = unsignedCheckpoint({ ...head, term }, at, null);
  const signature = await own.sign(canonicalize(body));
  return Buffer.from(JSON.stringify({ ...body, signature })).toString('base64url');
}

/** One server of several behind the address of home was shown the proof: another learns of it within half a second. */
const SEALED_MS = 3_000;

async function isSealed(line: HomeLine, term: number): Promise<boolean> {
  for (const end = performance.now() + SEALED_MS; ((await sealedTerm(line)) ?? 0) < term;) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  return true;
}

/** The term that home says it is sealed by; null where it is not, or does not say. */
async function sealedTerm(line: HomeLine): Promise<number | null> {
  const { status, body } = await line.http.ask({
    method: 'GET',
    target: '/v1/mesh/regions',
    timeoutMs: 5_000,
    maxBytes: 1024 * 1024,
  });
  return (status === 200 ? homeDocument('Regions', body)?.home.sealed_by_term : null) ?? null;
}

async function requireOff(home: string, store: MeshStore, options: Sealing): Promise<void> {
  const { homeIsOff, regionKey, staleMs, now } = options;
  if (!homeIsOff)
    throw new Failure(
      'NETWORK',
      regionKey === null
        ? `Without a key of role region, ${home} cannot be asked to seal itself.`
        : `${home} does not answer, so it cannot seal itself: two homes could go on side by side.`,
      {
        hint:
          regionKey === null
            ? '--key-file <file>, or AIP_MESH_KEY; or, when home is off and stays off: --home-is-off'
            : 'when it is off and stays off (power, network, or the service is stopped): --home-is-off',
      },
    );
  const heard = Number((await store.notes.get(HOME_HEARD)) ?? 0);
  // It is written down at intervals: home may have signed until one of them later.
  const left = heard + NOTED_MS + staleMs - now();
  if (left > 0)
    throw new Failure(
      'STATE',
      `Home was heard ${Math.max(0, Math.round((now() - heard) / 1000))} s ago: verifiers may still go by what it signed then.`,
      { hint: `wait ${Math.ceil(left / 1000)} s, then give the command again`, retryable: true },
    );
}
