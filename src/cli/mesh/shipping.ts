/** Shipping this machine's log while a command follows the mesh. */
import { shipLogs, type ShippingState } from '../../app/logs/ship.js';
import { parsePublicKey } from '../../protocol/identity/keys.js';
import type { MeshAccess } from './access.js';
import { clean } from '../render/terminal/text.js';
import { pause } from '../../workspace/files.js';
import { meshLines } from '../../workspace/mesh.js';
import { localState } from '../../workspace/state.js';
import type { Setting } from '../setting.js';
import type { Output } from '../output.js';
import type { Surroundings } from '../io.js';

/** Starts shipping to the mesh's home; what keeps it from going on is said once. The function returned ends it. */
export async function startShipping(
  cli: Setting & Output & Surroundings,
  access: MeshAccess,
  key: string,
): Promise<() => Promise<void>> {
  const state = await localState(cli.workspace);
  // Only home keeps the fleet's log; while it is away the entries wait here.
  const home = { endpoints: access.endpoints.slice(0, 1), ca: access.ca };
  const [line] = await meshLines(cli.workspace, home, key);
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
      meshKey: parsePublicKey(access.publicKey)!,
      clock: cli.io.now,
      random: Math.random,
      pause,
      onState,
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
