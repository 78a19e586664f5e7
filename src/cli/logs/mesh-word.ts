/** What the mesh says of this machine's log, asked in passing: who can write the state file cannot write the mesh's copy. */
import { askHeld } from '../../app/logs/ship.js';
import { Failure } from '../../app/failure.js';
import type { NoteSigner, signTree, TreeLog } from '../../app/proof/checkpoint.js';
import {
  askSeen,
  cosignedByMesh,
  keepSeen,
  keptSeen,
  strangerIn,
  type SeenTreeHead,
  type Unseen,
} from '../../app/proof/mesh-witness.js';
import { parsePublicKey } from '../../protocol/identity/keys.js';
import type { TreeHead } from '../../protocol/transparency/note.js';
import type { LocalState } from '../../workspace/state.js';
import { configuredCopy, meshAccess } from '../mesh/access.js';
import { meshSession, type MeshSession } from '../mesh/session.js';
import { clean } from '../render/terminal/text.js';
import type { Notices } from '../output.js';
import type { Surroundings } from '../io.js';
import type { Setting } from '../setting.js';

/** What these functions need of a command. */
type Scene = Setting & Notices & Surroundings;

/** In passing, and where it is what was asked for; ms. */
const TIMEOUT_MS = 2000;
const DEMANDED_MS = 15_000;

/** What the mesh holds of the log. */
export interface MeshOnLog {
  /** A checkpoint of the chain as `checkAgainstStatements` takes it; null where nothing of this log is there. */
  readonly chain: { readonly name: string; readonly bytes: Uint8Array } | null;
  /** What it has seen of the tree, now and when it cosigned it last. */
  readonly trees: readonly TreeHead[];
}

/**
 * Asks the mesh about the chain and the tree of this log; with `demanded` it fails where the mesh cannot be asked. A tree counts that one of
 * `keys` has signed.
 */
export async function meshOnLog(
  cli: Scene,
  state: Pick<LocalState, 'logId' | 'verifier' | 'tree'>,
  keys: readonly Uint8Array[],
  demanded: boolean,
): Promise<MeshOnLog> {
  const access = await meshAccess(cli);
  if (!demanded && access === null) return { chain: null, trees: [] };
  const silent = (why: string): null => {
    if (demanded)
      throw new Failure('NETWORK', `The mesh was not asked about this log: ${ended(why)}`, {
        hint: 'aip mesh status',
        retryable: true,
      });
    cli.warn(
      `The mesh was not asked about this log: ${ended(why)} What it countersigned last and is kept here was used.`,
      'mesh_not_asked',
    );
    return null;
  };
  const session = await sessionOrWhy(cli, demanded);
  const trees = access === null ? [] : await keptTree(cli, state.logId, parsePublicKey(access.publicKey)!);
  if (session === null) return { chain: silent('this machine has no API key for it'), trees };
  const { line } = session;
  const meshKey = parsePublicKey(session.access.publicKey)!;
  const timeoutMs = demanded ? DEMANDED_MS : TIMEOUT_MS;
  const word = await askHeld(state, line, meshKey, timeoutMs);
  if (word.kind !== 'said') return { chain: silent(word.reason), trees };
  if (word.checkpoint === null && demanded)
    cli.warn('The mesh holds nothing of this log: aip mesh follow ships it.', 'log_unshipped');
  const chain = word.checkpoint === null ? null : { name: `the mesh ${line.url}`, bytes: Buffer.from(word.checkpoint) };
  const seen = await askSeen(state.logId, { line, meshKey, timeoutMs });
  // A mesh of an earlier version was asked about the chain, and knows no trees.
  if (seen.kind === 'older') cli.detail(`The mesh was not asked about the tree: ${seen.reason}.`);
  else if (seen.kind !== 'seen') silent(clean(seen.reason));
  if (seen.kind !== 'seen' || seen.last === null) return { chain, trees };
  const stranger = strangerIn(state, seen.last, keys);
  if (stranger === null) return { chain, trees: [...trees, seen.last.head] };
  cli.warn(
    `What the mesh has seen of the tree was not used: ${stranger}. aip mesh follow ships this log, and the id is its own again; aip logs checkpoint says whose key it is.`,
    'log_claimed',
  );
  return { chain, trees };
}

async function keptTree(cli: Scene, logId: string, meshKey: Uint8Array): Promise<readonly TreeHead[]> {
  const kept = keptSeen(await configuredCopy(cli), logId, meshKey);
  return kept === null ? [] : [kept.head];
}

/**
 * The cosignature of the mesh under a checkpoint; null where this machine belongs to none, or the mesh gives none, which is said.
 * @throws Failure THRESHOLD where the mesh has seen another history of the log
 */
export async function seenByMesh(
  cli: Scene,
  state: Pick<TreeLog, 'logId' | 'tree'>,
  signed: ReturnType<typeof signTree>,
  key: Pick<NoteSigner, 'publicKey'>,
): Promise<SeenTreeHead | null> {
  if ((await cli.config()).get('mesh.url') === null || signed.head.size === 0) return null;
  const session = await sessionOrWhy(cli, false);
  if (session === null)
    return notSeen(cli, { kind: 'silent', reason: 'this machine lacks its public key or an API key for it' });
  const { line, access } = session;
  const mesh = { line, meshKey: parsePublicKey(access.publicKey)!, timeoutMs: TIMEOUT_MS };
  const cosigning = await cosignedByMesh(state, () => signed, key, mesh);
  switch (cosigning.kind) {
    case 'cosigned':
      keepSeen(await configuredCopy(cli), cosigning.seen);
      return cosigning.seen;
    case 'older':
    case 'silent':
    case 'refused':
      return notSeen(cli, cosigning);
    default:
      throw new Failure('THRESHOLD', cosigning.message, {
        hint: 'keep a copy of the state file, and find out what happened before anything is trusted: aip logs verify --mesh',
      });
  }
}

function notSeen(cli: Notices, { kind, reason }: Unseen): null {
  cli.warn(
    `The mesh did not cosign this checkpoint: ${ended(clean(reason))}`,
    kind === 'silent' ? 'mesh_not_asked' : 'mesh_no_witness',
  );
  return null;
}

/** A mesh's own words are sentences, and others are not. */
function ended(reason: string): string {
  return reason.endsWith('.') ? reason : `${reason}.`;
}

/** Null where this machine has nothing to ask the mesh with, unless it must be asked. */
async function sessionOrWhy(cli: Scene, demanded: boolean): Promise<MeshSession | null> {
  try {
    return await meshSession(cli, {});
  } catch (error) {
    if (demanded || !(error instanceof Failure)) throw error;
    return null;
  }
}
