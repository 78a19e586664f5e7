import { Failure, shellWord } from '../../app/failure.js';
import { proofAge } from '../../app/ports/mesh.js';
import { knownHere, stoppedKeysHere, standingInForce, type HeldStanding } from '../../app/mesh/standing.js';
import { keyIdsHere, keyTextHere } from '../../app/mesh/key-text.js';
import { askStanding } from '../../app/mesh/orders.js';
import { isNamedKey } from '../../mesh/subject.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { meshAccess, type MeshAccess } from '../mesh/access.js';
import { EVERYONE_OPTION, SUBJECT_ARG, subjectNamed } from '../mesh/orders/subject.js';
import { sightingOf, whatWasMeant } from '../mesh/orders/seen.js';
import { PASSPHRASE_OPTIONS } from '../input/options.js';
import { stoppedAnywhere, stoppedHere, type Stopped } from '../../app/mesh/stopped.js';
import { renderStopped, type StoppedList } from '../render/stopped.js';
import { renderStanding } from '../render/standing.js';
import { clean, flowed } from '../render/terminal/text.js';
import type { Cli } from '../cli.js';
import type { CommandSpec } from '../spec.js';
import type { KeyPlaces } from '../../workspace/keys.js';
import { meshLines } from '../../workspace/mesh.js';
import { localState } from '../../workspace/state.js';
import { apiKey, configuredCopy } from '../mesh/access.js';

interface Options extends KeyPlaces {
  readonly everyone: boolean;
  readonly local: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['status'],
  summary: 'Say whether an agent is active, suspended or revoked, and why; without one, all that is stopped',
  detail: 'Asks the mesh; without one, or when it cannot be reached, says what this machine knows and how old that is.',
  args: [SUBJECT_ARG],
  options: [
    {
      title: 'Flags',
      options: [
        EVERYONE_OPTION,
        { flags: '--local', description: 'only what this machine knows' },
        ...PASSPHRASE_OPTIONS,
      ],
    },
  ],
  examples: [
    { run: 'aip status', why: 'everything that is stopped, by whom, since when and why' },
    { run: 'aip status support-agent-v1', why: 'its own standing, and that of those above it' },
  ],
  exits: {
    3: 'the agent is not known here by that name',
    4: 'the key store is missing, locked or refuses',
    5: 'the mesh cannot be reached; what is known here was shown',
  },
  onlyDenies: true,
  touches: ['network', 'state', 'keychain'],
  onlyReads: true,
  topics: ['mesh', 'incident'],

  async run({ args, options }, cli) {
    if (args[0] === undefined && !options.everyone) return everythingStopped(cli, options);
    const subject = await subjectNamed(cli, args[0], options.everyone, options);
    const mesh = await meshAccess(cli);
    const copy = await configuredCopy(cli);
    const keyText = isNamedKey(subject) ? keyTextHere(await localState(cli.workspace), subject) : null;
    const here = knownHere(copy, subject, cli.io.now(), mesh !== null, keyText);
    const stopped = stoppedKeysHere(await localState(cli.workspace), copy, subject, cli.io.now());
    if (mesh === null || options.local) {
      await sayUnseen(cli, null, here, options);
      return show(cli, here, 0, stopped);
    }
    try {
      const lines = await meshLines(cli.workspace, mesh, await apiKey(cli, options));
      const there = await askStanding(lines, subject);
      const keys = new Set([...there.stoppedKeys, ...stopped]);
      const held = standingInForce(there, copy, cli.io.now(), keyText);
      await sayUnseen(cli, mesh, held, options);
      return show(cli, held, 0, [...keys]);
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'NETWORK') throw error;
      cli.warn(error.message, 'AIP-E500');
      return show(cli, here, error.exitCode, stopped);
    }
  },
};

/** An id that was mistyped is not denied, and is no agent that is in good standing. */
async function sayUnseen(cli: Cli, mesh: MeshAccess | null, held: HeldStanding, options: Options): Promise<void> {
  if (held.status !== 'active' || held.version > 0) return;
  const sighting = await sightingOf(cli, mesh, held.agent_id, options);
  if (sighting.seen) return;
  const where = mesh === null ? 'here' : 'here or on the mesh';
  cli.warn(
    `${clean(held.agent_id)} was never seen ${where}, and nothing denies it${whatWasMeant(sighting, held.agent_id)}.`,
    'never_seen',
  );
}

/** Lists what is stopped, and says whether the mesh was asked. */
async function everythingStopped(cli: Cli, options: Options): Promise<number> {
  const mesh = await meshAccess(cli);
  const copy = await configuredCopy(cli);
  const now = cli.io.now();
  const age_ms = mesh === null ? null : proofAge(copy, now);
  const names = keyIdsHere(await localState(cli.workspace));
  const here = () => ({ source: 'this machine' as const, age_ms, stopped: stoppedHere(copy, now, names) });
  if (mesh === null || options.local) return list(cli, here(), mesh !== null, 0);
  try {
    const lines = await meshLines(cli.workspace, mesh, await apiKey(cli, options));
    const { stopped, ageMs, isPart = false } = await stoppedAnywhere(lines, copy, now, names);
    if (isPart)
      cli.warn(
        'The mesh has more that is stopped, or may have, than it lists: what is missing here may be stopped as well (aip status <agent>).',
        'list_cut',
      );
    return list(cli, { source: 'mesh', age_ms: ageMs, stopped }, true, 0);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'NETWORK') throw error;
    cli.warn(error.message, 'AIP-E500');
    return list(cli, here(), true, error.exitCode);
  }
}

function list(cli: Cli, found: StoppedList, mesh: boolean, code: number): number {
  if (cli.globals.json) cli.json({ ...found, stopped: found.stopped.map(asStanding) });
  else cli.out(flowed(renderStopped(found, mesh, cli.paint), cli.width));
  return code;
}

/** Under the keys that one standing has in `--json` and an event has in the mesh, beside those of the list. */
function asStanding(one: Stopped): JsonObject {
  const { subject, by, since, until } = one;
  return { ...one, agent_id: subject, revoked_by: by, changed_at: since, suspended_until: until };
}

/** `stoppedKeys`: ids of keys of an agent, which may be stopped while it is active itself. */
function show(cli: Cli, held: HeldStanding, code: number, stoppedKeys: readonly string[]): number {
  if (cli.globals.json) cli.json(held);
  else cli.out(flowed(renderStanding(held, cli.paint), cli.width));
  for (const keyId of stoppedKeys)
    cli.warn(
      `The key ${clean(keyId)} is stopped: what it signs is refused (aip status ${shellWord(keyId)}).`,
      'key_stopped',
    );
  return code;
}
