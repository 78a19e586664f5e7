/** Shipping this machine's log while a command follows the mesh. */
import { shipLogs, type ShippingState, type Witnessing } from '../../app/logs/ship.js';
import { signTree } from '../../app/proof/checkpoint.js';
import { cosignedByMesh, keepSeen, type WitnessingMesh } from '../../app/proof/mesh-witness.js';
import { parsePublicKey } from '../../protocol/identity/keys.js';
import { configuredCopy, type MeshAccess } from './access.js';
import { clean } from '../render/terminal/text.js';
import { pause } from '../../workspace/files.js';
import { machineKey, meshLines } from '../../workspace/mesh.js';
import { localState, type LocalState } from '../../workspace/state.js';
import type { Setting } from '../setting.js';
import type { Notices, Output } from '../output.js';
import type { Surroundings } from '../io.js';

const WITNESS_TIMEOUT_MS = 15_000;

/** Starts shipping to the mesh's home; what keeps it from going on is said once. The function returned ends it. */
export async function startShipping(
  cli: Setting & Output & Surroundings,
  access: MeshAccess,
  key: string,
): Promise<() => Promise<void>> {
  const state = await localState(cli.workspace);
  // Only home keeps the fleet's log; while it is away the entries wait here.
  const home = { ...access, endpoints: access.endpoints.slice(0, 1) };
  const [line] = await meshLines(cli.workspace, home, key);
  const meshKey = parsePublicKey(access.publicKey)!;
  const witness = await treeWitness(cli, state, { line: line!, meshKey, timeoutMs: WITNESS_TIMEOUT_MS });
  const stop = new AbortController();
  let said = '';
  const say = (text: string): void => {
    if (text === said) return;
    said = text;
    cli.note(cli.paintErr.dim(text));
  };
  const onState = (now: ShippingState): void => {
    if (now.kind === 'shipping' && now.behind > 1000) say('shipping the log');
    else if (now.kind === 'current' && said !== '') say('the mesh has the whole log');
    else if (now.kind === 'waiting' && now.ms >= 1000) say(`the log waits here: ${clean(now.reason)}`);
  };
  const running = shipLogs(
    {
      log: state,
      line: line!,
      meshKey,
      clock: cli.io.now,
      random: Math.random,
      pause,
      onState,
      witness,
    },
    stop.signal,
  ).then((end) => {
    // The mesh has seen more than is here: an older copy was put back, and what was spent since is forgotten.
    if (end?.kind === 'log_cut') state.forgetUntil(cli.io.now());
    if (end !== null) cli.warn(`${clean(end.message)} Its entries are no longer shipped.`, end.kind);
  });
  return async () => {
    stop.abort();
    await running;
  };
}

/** Has the mesh cosign the tree, and keeps that; what keeps it from doing so is said once it is no matter of a moment. */
async function treeWitness(cli: Setting & Notices, state: LocalState, mesh: WitnessingMesh) {
  const [{ key }, copy] = await Promise.all([machineKey(cli.workspace), configuredCopy(cli)]);
  let [reason, times] = ['', 0];
  let isOlder = false;
  let seenSize = 0;
  return async (): Promise<Witnessing> => {
    // Nothing is new of a tree that has not grown; of one that has shrunk it is.
    if (isOlder || state.tree().size === seenSize) return 'done';
    const cosigning = await cosignedByMesh(state, () => signTree(state, key), key, mesh);
    switch (cosigning.kind) {
      case 'cosigned':
        keepSeen(copy, cosigning.seen);
        seenSize = cosigning.seen.head.size;
        reason = '';
        return 'done';
      case 'older':
      case 'silent':
      case 'refused':
        isOlder = cosigning.kind === 'older';
        times = reason === cosigning.reason ? times + 1 : 1;
        reason = cosigning.reason;
        // The roster may not have this verifier yet when it begins to listen.
        if (isOlder || times === 2) cli.note(`the mesh does not cosign the tree: ${clean(reason)}`);
        return 'again';
      default:
        return cosigning;
    }
  };
}
