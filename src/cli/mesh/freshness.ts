/** How current the copy of the mesh's state is, brought up to date first when it is too old. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Freshness } from '../../verify/context.js';
import { Failure } from '../../app/failure.js';
import {
  copyFreshness,
  noteFollowing,
  hasLeft,
  isUnmissed,
  noteCounted,
  proofAge,
  type MeshCopy,
} from '../../app/ports/mesh.js';
import { meshFollower, meshLines, refreshCopy, type MeshFollow } from '../../workspace/mesh.js';
import { Vouching } from '../../workspace/mesh/vouching.js';
import type { VerifierDeps } from '../../app/verification/intents.js';
import { apiKey, configuredCopy, type MeshAccess } from './access.js';
import { fetchPassports } from '../../app/mesh/passports.js';
import { localState } from '../../workspace/state.js';
import { isIntroduced, listeningVerifier, notePolicy, notesIntroduced } from './listening.js';
import type { ListeningVerifier } from '../../mesh/roster/member.js';
import { parseApiKey } from '../../mesh/access/api-key.js';
import { clean } from '../render/terminal/text.js';
import type { Setting } from '../setting.js';
import type { Notices } from '../output.js';
import type { Lifetime } from '../../workspace/workspace.js';
import type { Surroundings } from '../io.js';

/** What these functions need of a command. */
type Scene = Setting & Notices & Lifetime & Surroundings;

/** The longest that a verification waits for the mesh, in ms, once it holds the API key: to open an encrypted one takes longer on a busy machine. */
const REFRESH_MS = 300;

/** How a command judges. */
export interface MeshJudging {
  /** The mesh is followed for as long as the command runs: a stream of intents outlives any copy. */
  readonly live: boolean;
  /** What it finds is done, and not merely tried: the mesh counts this machine among those that decide. */
  readonly decides: boolean;
}

/** What verification asks for at each judgement, where there is a mesh. */
export async function meshFreshness(
  cli: Scene,
  access: MeshAccess,
  { live, decides }: MeshJudging,
): Promise<Pick<VerifierDeps, 'freshness' | 'vouched'>> {
  const config = await cli.config();
  const maxAgeMs = config.get('revocation.max_age');
  const onStale = config.get('revocation.on_stale');
  const copy = await configuredCopy(cli);
  const age = proofAge(copy, cli.io.now());
  notePolicy(copy, onStale, maxAgeMs, cli.io.now());
  const due = isUnmissed(copy) || (decides && !isIntroduced(copy)) || age === null || age > maxAgeMs;
  const heard = due && (await asked(cli, access, copy, { maxAgeMs, decides }));
  const vouching = live
    ? new Vouching(copy, await follow(cli, access, copy, maxAgeMs), cli.workspace.world, () =>
        asked(cli, access, copy, { maxAgeMs, decides: false }),
      )
    : null;
  const freshness = (now: number): Freshness => {
    const ageMs = proofAge(copy, now);
    // The mesh does not miss this machine, so only an answer of the mesh can vouch for its copy.
    if (!(vouching?.holds ?? (heard || !isUnmissed(copy))))
      return copyFreshness(copy, { ageMs: null, maxAgeMs, onStale: 'deny', unmissed: true });
    return copyFreshness(copy, { ageMs, maxAgeMs, onStale });
  };
  return vouching === null ? { freshness } : { freshness, vouched: () => vouching.vouched() };
}

/** Asks the mesh once. Whatever goes wrong, the policy for a stale copy decides. */
async function asked(
  cli: Scene,
  access: MeshAccess,
  copy: MeshCopy,
  { maxAgeMs, decides }: { readonly maxAgeMs: number; readonly decides: boolean },
): Promise<boolean> {
  let apiKey: string;
  try {
    apiKey = await key(cli);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return unheard(cli, access, error.message);
  }
  const started = Date.now();
  const stop = new AbortController();
  const late = sleep(REFRESH_MS, undefined, { signal: stop.signal }).then(
    () => 'no answer in time',
    () => '',
  );
  const ask = async (): Promise<string> => {
    const verifier = decides ? await decider(cli, copy, apiKey) : null;
    let counted = verifier !== null;
    const onUncounted = (why: string): void => {
      counted = false;
      warnUncounted(cli, why);
    };
    const refresh = { key: apiKey, copy, maxAgeMs, timeoutMs: REFRESH_MS, verifier, onUncounted };
    if (!(await refreshCopy(cli.workspace, access, refresh)))
      return `nothing that proves the copy current came within ${REFRESH_MS} ms`;
    if (counted) noteCounted(copy, true, cli.io.now());
    if (decides) notesIntroduced(copy, cli.io.now());
    const lines = await meshLines(cli.workspace, access, apiKey);
    const rest = Math.max(50, REFRESH_MS - (Date.now() - started));
    await fetchPassports([...lines], copy, await localState(cli.workspace), { now: cli.io.now(), timeoutMs: rest });
    return '';
  };
  const work = ask().catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error;
    return error.message;
  });
  const trouble = await Promise.race([work, late]);
  stop.abort();
  return trouble === '' || unheard(cli, access, trouble);
}

function unheard(cli: Scene, access: MeshAccess, why: string): false {
  cli.detail(`The mesh ${access.endpoints[0]!} was not heard: ${why}`);
  return false;
}

function warnUncounted(cli: Scene, why: string): void {
  const then = 'every decision here asks the mesh, and refuses where it does not answer';
  cli.warn(`The mesh does not count this machine: ${clean(why)} Until it does, ${then}.`, 'not_on_roster');
}

/** This machine as one that decides, followed by a process or not; null where it is no verifier of the mesh, or has left it. */
async function decider(cli: Scene, copy: MeshCopy, apiKey: string): Promise<ListeningVerifier | null> {
  return parseApiKey(apiKey)?.role === 'verifier' && !hasLeft(copy) ? listeningVerifier(cli, copy) : null;
}

async function follow(cli: Scene, access: MeshAccess, copy: MeshCopy, maxAgeMs: number): Promise<MeshFollow | null> {
  // Said before, where the mesh was asked at the start.
  let counted = !isUnmissed(copy);
  try {
    const following = await meshFollower(cli.workspace, access, await key(cli), {
      // The machine's own key, as `aip mesh follow` uses it: both are one verifier, which has applied what each of its copies has.
      verifier: await listeningVerifier(cli, copy),
      maxAgeMs,
      copy,
      onState: (_, to) => {
        if (to !== 'live') return;
        counted = true;
        noteFollowing(copy);
      },
      onUncounted: (why) => {
        if (counted) warnUncounted(cli, why);
        counted = false;
      },
      onFailure: (error) => cli.warn(`The mesh is not followed any more: ${String(error).slice(0, 200)}`, 'mesh_copy'),
    });
    cli.afterwards(() => following.stop());
    following.start();
    return following;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    cli.detail(error.message);
    return null;
  }
}

/** No passphrase is asked for in the middle of a verification. */
async function key(cli: Scene): Promise<string> {
  return apiKey(cli, { mayAsk: false });
}
