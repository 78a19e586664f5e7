import { isAgentName, isDomain, parseAgentId } from '../../protocol/identity/did.js';
import { canonicalId } from '../../protocol/identity/subject.js';
import { nearestOf } from '../../protocol/naming/nearest.js';
import { readPassport, type Passport } from '../../protocol/passport.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { Failure } from '../failure.js';
import type { State } from '../ports/state.js';
import { maskName } from '../../protocol/log/secret-text.js';

/** A passport that a name, an id or a path led to. */
export interface FoundPassport {
  readonly passport: Passport;
  /** The file it was last written to or read from, when there is one. */
  readonly path: string | null;
}

/** Where passports are looked for. */
export interface FindDeps {
  readonly state: Pick<State, 'passport' | 'passports'>;
  /** The bytes of a file, of stdin for `-` where that is read, or null when there is none; fails with UNREADABLE when it cannot be read. */
  readonly readFile: (path: string) => Promise<Uint8Array | null>;
  /** Agents that this machine has held to something: an intent of theirs was believed. */
  readonly seen?: () => readonly string[];
  /** Agents whose passports are published in the mesh, as far as this machine's copy tells; absent without a mesh. */
  readonly published?: () => readonly string[];
  /**
   * Agents that the mesh has believed an intent of, has stopped, or holds a passport of, and whose ids hold this text. Asked where a name is
   * not known here, or is not clear; absent without a mesh, and empty when it does not answer.
   */
  readonly fleet?: (find: string) => Promise<readonly FleetName[]>;
}

/** An agent that the mesh knows. */
export interface FleetName {
  readonly agentId: string;
  /** True where its passport is published: such a name outranks the others. */
  readonly published: boolean;
}

/** Whom `<agent>` means: an id, also of an agent whose passport is not here, or the passport in a file. */
type Meant = { readonly agentId: string } | { readonly file: FoundPassport };

/**
 * What people mean by `<agent>`: an agent id, `name@domain`, a name, or a passport file. A path is one by its look (`/`, `.json`), so
 * that a file can never shadow a known name. A name is that of a published passport, else of one known here, else of an agent whose
 * intent was believed; what only the mesh knows comes behind a file.
 */
export async function meantBy(deps: FindDeps, agent: string): Promise<Meant> {
  if (agent.startsWith('did:')) {
    const id = canonicalId(agent);
    if (id !== null) return { agentId: id };
    throw new Failure('USAGE', `"${agent.slice(0, 80)}" is no id of an agent.`, {
      hint: 'did:web:<domain>:agents:<name>',
    });
  }
  const isPath = looksLikePath(agent);
  if (!isPath) {
    const id = idOfShortName(agent);
    if (id !== null) return { agentId: id };
    const here = await namedHere(deps, agent);
    if (here !== null) return { agentId: here };
  }
  const bytes = await deps.readFile(agent);
  if (bytes !== null) {
    const passport = parsedPassport(bytes, agent === '-' ? 'stdin' : agent);
    return { file: { passport, path: agent === '-' ? null : agent } };
  }
  if (isPath) throw notFound(`There is no passport file at ${maskName(agent)}.`, []);
  const there = namedThere(await fleetOf(deps, agent), agent);
  if (there !== null) return { agentId: there };
  const names = deps.state.passports().map(({ agentId }) => shortName(agentId));
  const fleet = (await fleetOf(deps, '')).map(({ agentId }) => agentId);
  const near = nearestByName(agent, [...new Set([...names, ...fleet.map(shortName)])]);
  const listed = near.every((short) => names.includes(short));
  // Where the mesh knows none either, no list has it, and the id alone is enough.
  if (deps.fleet !== undefined && near.length === 0 && isAgentName(agent))
    throw new Failure('NOT_FOUND', `No agent is known by the name "${maskName(agent)}", and no such file exists.`, {
      hint: `give the whole id: did:web:<domain>:agents:${agent}`,
    });
  throw notFound(`No known passport is named "${maskName(agent)}", and no such file exists.`, near, listed);
}

async function fleetOf(deps: FindDeps, find: string): Promise<readonly FleetName[]> {
  return (await deps.fleet?.(find)) ?? [];
}

/** The agent of this name that this machine knows; null when it knows none. @throws Failure USAGE when several are of equal rank */
async function namedHere(deps: FindDeps, name: string): Promise<string | null> {
  const isNamed = (id: string) => id.endsWith(`:agents:${name}`);
  const published = (deps.published?.() ?? []).filter(isNamed);
  if (published.length > 0) return onlyOne(name, published);
  const kept = deps.state.passports().filter((passport) => passport.name === name);
  const known = kept.length > 0 ? kept.map(({ agentId }) => agentId) : (deps.seen?.() ?? []).filter(isNamed);
  if (new Set(known).size < 2) return known[0] ?? null;
  // Of several the mesh may have published one.
  const there = (await fleetOf(deps, name)).filter((one) => one.published && isNamed(one.agentId));
  return onlyOne(name, there.length > 0 ? there.map(({ agentId }) => agentId) : known);
}

/** The agent of this name that the mesh knows; those whose passports are published come first. */
function namedThere(fleet: readonly FleetName[], name: string): string | null {
  const named = fleet.filter(({ agentId }) => agentId.endsWith(`:agents:${name}`));
  const published = named.filter((one) => one.published);
  return onlyOne(
    name,
    (published.length > 0 ? published : named).map(({ agentId }) => agentId),
  );
}

/** Whether `<agent>` is a path by its look: such a one is never the name of a known passport. */
export function looksLikePath(agent: string): boolean {
  return agent === '-' || agent.includes('/') || agent.includes('\\') || agent.endsWith('.json');
}

/**
 * The passport that people mean by `<agent>`.
 * @throws Failure NOT_FOUND when none is known here, also of an agent that the mesh knows
 */
export async function findPassport(deps: FindDeps, agent: string): Promise<FoundPassport> {
  const meant = await meantBy(deps, agent);
  if ('file' in meant) return meant.file;
  const { agentId } = meant;
  const known = deps.state.passport(agentId);
  if (known === null) {
    const names = deps.state.passports().map((passport) => shortName(passport.agentId));
    throw notFound(`No passport of ${agentId} is known here.`, nearestByName(shortName(agentId), names));
  }
  return { passport: parsedPassport(Buffer.from(known.text), `the known passport of ${agentId}`), path: known.path };
}

/** The passport in a file's bytes; a file that holds none is a failure that names it. */
export function parsedPassport(bytes: Uint8Array, where: string): Passport {
  try {
    return readPassport(bytes);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new Failure('UNREADABLE', `${where} is not a valid passport (AIP-E103): ${error.reason}.`, {
      hint: 'get it again from its principal',
    });
  }
}

/** `support-agent-v1@acme.com`, the one short form of an agent's id; the id itself where it has none. */
export function shortName(agentId: string): string {
  const parsed = parseAgentId(agentId);
  return parsed === null ? agentId : `${parsed.name}@${parsed.domain}`;
}

/** The id that `name@domain` is short for; a port may be written `:8443`. Null for what is no short form. */
function idOfShortName(text: string): string | null {
  const at = text.indexOf('@');
  const domain = text
    .slice(at + 1)
    .replace(':', '%3A')
    .toLowerCase();
  if (at < 1 || !isDomain(domain)) return null;
  return canonicalId(`did:web:${domain}:agents:${text.slice(0, at)}`);
}

/** @throws Failure when several are of equal rank */
function onlyOne(name: string, agentIds: readonly string[]): string | null {
  const [first, ...others] = [...new Set(agentIds)];
  if (first === undefined || others.length === 0) return first ?? null;
  throw new Failure('USAGE', `Several known agents are named "${name}": ${[first, ...others].join(', ')}.`, {
    hint: `name one by its whole id, or as ${shortName(first)}`,
  });
}

/** The short forms whose name, without the domain, is near. */
function nearestByName(text: string, shortNames: readonly string[]): string[] {
  const [wanted = text] = text.split('@');
  const near = new Set(
    nearestOf(
      wanted,
      shortNames.map((short) => short.split('@')[0]!),
      3,
    ),
  );
  return shortNames.filter((short) => near.has(short.split('@')[0]!)).slice(0, 3);
}

/** `listed`: the nearest ones are in the list of passports here. */
function notFound(message: string, near: readonly string[], listed = true): Failure {
  return new Failure('NOT_FOUND', message, {
    hint:
      near.length === 0
        ? 'aip passport list'
        : `did you mean ${near.join(', ')}?${listed ? ' All of them: aip passport list' : ''}`,
  });
}
