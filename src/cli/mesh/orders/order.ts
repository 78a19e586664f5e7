/** What `revoke`, `suspend` and `reinstate` have in common: ask, give the order, show what came of it. */
import { Failure, shellWord } from '../../../app/failure.js';
import { anticipateDeny, giveOrder, orderHere, type GivenOrder, type Order } from '../../../app/mesh/orders.js';
import { parseApiKey } from '../../../mesh/access/api-key.js';
import { mayAct } from '../../../mesh/access/roles.js';
import { NEEDED_ROLE } from '../../../mesh/command.js';
import { sightingOf, whatWasMeant } from './seen.js';
import { EVERYONE, isNamedKey } from '../../../mesh/subject.js';
import { keyTextHere, orderByText } from '../../../app/mesh/key-text.js';
import { localState } from '../../../workspace/state.js';
import { toHex } from '../../../protocol/hex.js';
import { meshAccess, type MeshAccess } from '../access.js';
import { EVERYONE_OPTION, subjectNamed, wordForSubject } from './subject.js';
import { PASSPHRASE_OPTIONS, YES_OPTION } from '../../input/options.js';
import { replicating } from '../session.js';
import { renderRegions } from '../../render/mesh.js';
import { renderOutcome } from '../../render/standing.js';
import { clean, flowed } from '../../render/terminal/text.js';
import type { OptionGroup, OptionSpec } from '../../spec.js';
import type { KeyPlaces } from '../../../workspace/keys.js';
import { meshLines, refreshCopy } from '../../../workspace/mesh.js';
import { apiKey, configuredCopy, configuredSigner } from '../access.js';
import type { Setting } from '../../setting.js';
import type { Notices, Output } from '../../output.js';
import type { Questioner } from '../../questions/ask.js';
import type { Surroundings } from '../../io.js';

/** What these functions need of a command. */
type Scene = Setting & Output & Questioner & Surroundings;

export interface OrderFlags extends KeyPlaces {
  readonly everyone: boolean;
  readonly by?: string;
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly local: boolean;
  /** True: it is known that the subject was never seen. Not of `reinstate`. */
  readonly unseen?: boolean;
}

export const ORDER_OPTIONS: OptionGroup = {
  title: 'Flags',
  options: [
    EVERYONE_OPTION,
    {
      flags: '--by <who>',
      description: 'who decided it, e.g. a DID (default: the label of the API key)',
      values: 'principal',
    },
    { flags: '--local', description: 'on this machine alone, whatever the mesh says' },
    { flags: '--dry-run', description: 'say what would be done, and do nothing' },
    YES_OPTION,
    ...PASSPHRASE_OPTIONS,
  ],
};

/** Of the orders that deny. */
export const UNSEEN_OPTION: OptionSpec = {
  flags: '--unseen',
  description: 'it is known that neither this machine nor the mesh has ever seen it',
};

export const ORDER_EXITS = {
  3: 'no agent is known by that name; or what was denied was never seen',
  4: "the key store is missing, locked or refuses, or this machine's role does not permit it",
  5: 'the mesh cannot be reached or refuses (E500), or not every verifier confirmed in time (E501)',
} as const;

/** @throws Failure FORBIDDEN: the mesh would refuse, as the key's text says */
function requireRole(key: string, { action, durationMs }: Pick<Order, 'action' | 'durationMs'>, whom: string): void {
  const role = parseApiKey(key)?.role;
  const needed = NEEDED_ROLE[action];
  if (role === undefined || mayAct(role, needed)) return;
  // A word on one machine lifts nothing that the mesh denies.
  const here = action === 'reinstate' ? '' : `; on this machine alone: ${orderWords(action, whom, durationMs)} --local`;
  throw new Failure(
    'FORBIDDEN',
    `To ${action} takes the role ${needed}; this machine's API key has the role ${role}.`,
    { hint: `use a key with a higher role: AIP_MESH_KEY=<key>${here}` },
  );
}

/** The command that gives an order, as far as its duration. */
function orderWords(action: Order['action'], whom: string, durationMs: number | null): string {
  const period = durationMs === null ? '' : ` --for ${Math.ceil(durationMs / 1000)}s`;
  return `aip ${action} ${whom === EVERYONE ? '--everyone' : shellWord(whom)}${period}`;
}

const WILL = { revoke: 'Revoke', suspend: 'Suspend', reinstate: 'Reinstate' } as const;

export async function carryOut(
  cli: Scene,
  agent: string | undefined,
  flags: OrderFlags,
  wish: Pick<Order, 'action' | 'durationMs'> & { readonly reason: () => Promise<string | null> },
): Promise<number> {
  const mesh = flags.local ? null : await meshAccess(cli);
  // Who may not do it is told before the first question. An order that named nobody is never turned into one for everyone.
  const whom = wordForSubject(agent, flags.everyone);
  if (mesh !== null) requireRole(await apiKey(cli, flags), wish, whom);
  // The reason is asked for once the subject is known.
  const subject = await subjectNamed(cli, agent, flags.everyone, flags).catch(untouched);
  const sighting =
    wish.action === 'reinstate' || flags.unseen === true ? null : await sightingOf(cli, mesh, subject, flags);
  const unseen = sighting?.seen === false ? sighting : null;
  const keyText = isNamedKey(subject) ? keyTextHere(await localState(cli.workspace), subject) : null;
  const order: Order = { ...wish, subject, keyText, reason: await wish.reason(), by: flags.by ?? null };
  const where = mesh === null ? 'on this machine alone' : `through ${mesh.endpoints[0]!}`;
  const nowhere = mesh === null ? 'here' : 'here or on the mesh';
  const meant = unseen === null ? '' : whatWasMeant(unseen, subject);
  const doubt = unseen === null ? '' : `. It was never seen ${nowhere}${meant}`;
  const message = `${WILL[order.action]} ${named(subject)} ${where}${doubt}`;
  if (flags.dryRun) return sayPlanned(cli, order, mesh, message);
  // Who revokes, or stops everyone, says so twice. Of the other orders a person is asked, a script has said what it wants.
  const asks = order.action === 'revoke' || subject === EVERYONE || cli.ask.allowed;
  if (asks && !flags.yes && !(await cli.ask.confirm({ message: clean(message), flag: '--yes' })))
    throw new Failure('USAGE', 'Nothing was changed.', { hint: 'answer y, or give --yes' });
  const given = await obey(cli, mesh, order, flags).catch((error: unknown) => {
    throw mesh === null ? error : withWayOut(error, order, flags);
  });
  const exit = sayGiven(cli, order, given, mesh !== null);
  // Whom a person was asked about was meant.
  if (unseen === null || (!flags.yes && cli.ask.allowed)) return exit;
  cli.warn(
    `${subject} was never seen ${nowhere}: it is denied all the same${meant}. Where it is meant: --unseen.`,
    'never_seen',
  );
  return exit === 0 ? 3 : exit;
}

function sayPlanned(cli: Output, order: Order, mesh: MeshAccess | null, message: string): number {
  const { action, subject, reason, durationMs } = order;
  const planned = { dry_run: true, action, agent_id: subject, reason, duration_ms: durationMs };
  if (cli.globals.json) cli.json({ ...planned, mesh: mesh?.endpoints[0] ?? null });
  else cli.out(`would ${message.charAt(0).toLowerCase()}${message.slice(1)}; nothing was changed`);
  return 0;
}

/** What came of the order, and who may not know of it yet; the exit code. */
function sayGiven(cli: Output & Notices, order: Order, given: GivenOrder, mesh: boolean): number {
  const { outcome, missing } = given;
  const { action, subject, durationMs } = order;
  const everyone = subject === EVERYONE;
  if (cli.globals.json) cli.json(outcome);
  else {
    const shown = { given, action, local: !mesh, everyone, durationMs, named: subject };
    cli.out(flowed(renderOutcome(shown, cli.paint), cli.width));
  }
  if (isNamedKey(subject)) sayOfKey(cli, order, outcome.agent_id, mesh);
  const late = outcome.regions.filter(({ state }) => state === 'late');
  if (late.length > 0) {
    if (!cli.globals.json) cli.out(renderRegions(outcome.regions, cli.paint));
    cli.warn(
      `PROPAGATION_INCOMPLETE: it is durable at home, but not stored in time in ${late.map(({ region }) => clean(region)).join(', ')}; home goes on, aip mesh status --regions shows how far each is.`,
      'AIP-E501',
    );
  }
  if (missing <= 0) return late.length > 0 ? 5 : 0;
  const one = missing === 1;
  const which = one ? '1 verifier has' : `${missing} verifiers have`;
  const until = `may go on refusing until ${one ? 'it hears' : 'they hear'} of it`;
  cli.warn(
    `PROPAGATION_INCOMPLETE: it is durable in the mesh, but ${which} not confirmed in time and ${action === 'reinstate' ? until : 'may still accept'}; aip mesh status shows which.`,
    'AIP-E501',
  );
  return 5;
}

/** A name that is not known ends with the code of an id that was denied and never seen: which of both it was is said. */
function untouched(error: unknown): never {
  if (!(error instanceof Failure) || error.code !== 'NOT_FOUND') throw error;
  throw new Failure(error.code, `${error.message} Nothing was changed.`, {
    ...(error.hint === null ? {} : { hint: error.hint }),
    cause: error,
  });
}

/** An id of a key can be given to another key: which key was stopped, and whether it was the one that is known here. */
function sayOfKey(cli: Notices, { subject, keyText = null, action }: Order, stopped: string, mesh: boolean): void {
  if (action === 'reinstate') return;
  if (isNamedKey(stopped))
    cli.warn(
      `The key ${subject} is not known here${mesh ? ' or on the mesh' : ''}: it is denied under that id alone. To stop the key itself: aip ${action} ed25519:<64 hex>`,
      'key_text_unknown',
    );
  else if (keyText !== null && stopped !== keyText)
    cli.warn(
      `The mesh knows another key as ${subject}, and stopped that one. The one known here: ${keyText}`,
      'key_text_differs',
    );
}

/** With a mesh that is out of reach, or takes no order of this key, the agent still acts: the first thing to do is to stop it where one is. */
function withWayOut(error: unknown, order: Order, flags: OrderFlags): unknown {
  if (!(error instanceof Failure) || order.action === 'reinstate') return error;
  if (error.code !== 'NETWORK' && error.code !== 'FORBIDDEN') return error;
  const command = [
    orderWords(order.action, order.subject, order.durationMs),
    ...(order.reason === null ? [] : [`--reason ${shellWord(order.reason)}`]),
    `--local${flags.yes ? ' --yes' : ''}`,
  ].join(' ');
  const { code, message, hint, retryable } = error;
  const then = hint === null ? '' : `; then ${hint}`;
  return new Failure(code, message, { hint: `on this machine: ${command}${then}`, retryable, cause: error });
}

/** Gives the order through the mesh, or carries it out on this machine alone where there is none. Asks nothing and shows nothing. */
export function obey(cli: Scene, mesh: MeshAccess | null, order: Order, keys: KeyPlaces): Promise<GivenOrder> {
  return mesh === null ? here(cli, order) : everywhere(cli, mesh, order, keys);
}

async function here(cli: Scene, order: Order): Promise<GivenOrder> {
  const copy = await configuredCopy(cli);
  const meant = orderByText(copy, order, cli.io.now());
  const outcome = orderHere(copy, meant, toHex(cli.workspace.world.random(16)), cli.io.now());
  const { status } = copy.standing(meant.subject) ?? { status: 'active' as const };
  // What the mesh denies, a word on this machine does not permit.
  if (order.action === 'reinstate' && status !== 'active')
    cli.warn(`${named(order.subject)} is still ${status} here, because the mesh says so.`, 'mesh_denies');
  return {
    outcome: { ...outcome, status: order.action === 'reinstate' ? status : outcome.status },
    missing: 0,
    roster: 0,
    absent: [],
    absentTotal: 0,
    late: [],
  };
}

async function everywhere(cli: Scene, mesh: MeshAccess, order: Order, flags: KeyPlaces): Promise<GivenOrder> {
  const [key, signer, config] = await Promise.all([apiKey(cli, flags), configuredSigner(cli, flags), cli.config()]);
  const lines = await meshLines(cli.workspace, mesh, key);
  const waitMs = config.get('mesh.max_propagation_time_ms');
  const given = await giveOrder(
    { lines, clock: cli.io.now, random: cli.workspace.world.random, signer, waitMs, ...replicating(config) },
    order,
  );
  await applyHere(cli, mesh, key, order, given);
  return given;
}

/** This machine knows at once. The mesh has the last word, so trouble here is told and changes nothing. */
async function applyHere(
  cli: Scene,
  mesh: MeshAccess,
  key: string,
  order: Order,
  { outcome }: GivenOrder,
): Promise<void> {
  try {
    const copy = await configuredCopy(cli);
    if (order.action !== 'reinstate') return anticipateDeny(copy, order, outcome, cli.io.now());
    const subject = outcome.agent_id;
    if (copy.local(subject) !== null) orderHere(copy, { ...order, subject }, outcome.cmd_id, cli.io.now());
    await refreshCopy(cli.workspace, mesh, { key, copy, maxAgeMs: 30_000, timeoutMs: REFRESH_MS });
    const now = copy.standing(subject);
    if (now !== null && now.status !== 'active' && now.seq < (outcome.seq ?? 0))
      cli.warn('This machine has not heard of it yet: it will with the next refresh.', 'copy_behind');
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    cli.warn(`The copy on this machine was not updated: ${error.message}`, error.code);
  }
}

/** A reinstatement is believed only as a signed event, which is fetched; in ms. */
const REFRESH_MS = 2_000;

function named(subject: string): string {
  return subject === EVERYONE ? 'EVERY agent' : subject;
}
