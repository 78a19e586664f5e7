/** Passports through a mesh: handed in by who signed them, fetched by who must judge by them. */
import { partOf } from '../../mesh/document.js';
import { toHex } from '../../protocol/hex.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { passportIn, type Passport } from '../../protocol/passport.js';
import { issuerProblem } from '../../verify/checks/issuer.js';
import { pinnedKeys } from '../keys/principals.js';
import { requireAsked } from './answers.js';
import { handIn, type OrderDeps } from './hand-in.js';
import { unconfirmedIn, type Unconfirmed } from './orders.js';
import type { MeshCopy, MeshEndpoint } from '../ports/mesh.js';
import type { State } from '../ports/state.js';

/** What came of a passport at the mesh, as `--json` prints it. */
export interface Published {
  readonly agent_id: string;
  /** Null where it was withdrawn. */
  readonly serial: number | null;
  readonly passport_hash: string | null;
  readonly seq: number;
  readonly propagated_to: number;
  readonly connected: number;
  readonly propagation_ms: number | null;
  /** False when it was in force already. */
  readonly changed: boolean;
}

/** A passport that the mesh put in force or withdrew, and who has not confirmed it. */
export interface Publishing extends Unconfirmed {
  readonly outcome: Published;
}

const UNSURE = 'Whether it arrived is unknown: give the command again, which is harmless.';

/** Puts a passport in force in the mesh. Fails with NETWORK when no endpoint takes it. */
export function publishPassport(
  deps: OrderDeps,
  passport: Passport,
  text: string,
  force: boolean,
): Promise<Publishing> {
  const document = JSON.parse(text) as object;
  const body = { cmd_id: toHex(deps.random(16)), passport: document, ...(force ? { force } : {}) };
  return carriedOut(deps, '/v1/mesh/passports', body, passport.agent.id);
}

/** Takes back what the mesh demands of an agent's passport. */
export function withdrawPassport(deps: OrderDeps, agent: string): Promise<Publishing> {
  return carriedOut(deps, '/v1/mesh/passports/withdraw', { cmd_id: toHex(deps.random(16)), agent_id: agent }, agent);
}

function carriedOut(deps: OrderDeps, path: string, body: object, agent: string): Promise<Publishing> {
  return handIn(deps, { path, body, unsure: UNSURE }, (answer) => publishingOf(answer, agent));
}

const OUTCOME = [
  'agent_id',
  'serial',
  'passport_hash',
  'seq',
  'propagated_to',
  'connected',
  'propagation_ms',
  'changed',
] as const;

function publishingOf(answer: JsonObject, agent: string): Publishing {
  const outcome = partOf('Published', answer, OUTCOME);
  requireAsked(outcome, { agent_id: agent });
  return { outcome, ...unconfirmedIn('Published', answer) };
}

/** How passports are fetched. */
export interface PassportFetch {
  /** ms since the epoch. */
  readonly now: number;
  /** How long a document may take. */
  readonly timeoutMs: number;
  /** Hashes that are known to be here, which are not looked for again; those that are found are added. */
  readonly have?: Set<string>;
}

/**
 * Fetches the documents that the mesh has put in force and this machine lacks, and keeps those whose principal is pinned here: the mesh
 * cannot make a passport. A document is asked for by its hash, so any endpoint may give it; one that is away is put last in `lines`.
 * Answers how many are still missing.
 */
export async function fetchPassports(
  lines: MeshEndpoint[],
  copy: Pick<MeshCopy, 'passportMarks'>,
  state: Pick<State, 'passport' | 'pins' | 'rememberPassport'>,
  { now, timeoutMs, have = new Set() }: PassportFetch,
): Promise<number> {
  let missing = 0;
  const fetched = async (agent: string, hash: string): Promise<{ passport: Passport; text: string } | null> => {
    const target = `/v1/mesh/passports/${encodeURIComponent(hash)}`;
    for (const line of [...lines]) {
      const reply = await line.ask({ method: 'GET', target, timeoutMs });
      if (reply.kind === 'unreachable') lines.push(...lines.splice(lines.indexOf(line), 1));
      const passport = reply.kind === 'answered' && reply.status === 200 ? passportIn(reply.body) : null;
      if (reply.kind === 'answered' && passport?.hash() === hash && passport.agent.id === agent)
        return { passport, text: reply.body };
    }
    return null;
  };
  for (const { agent, hash, serial } of copy.passportMarks()) {
    if (hash === null || have.has(hash)) continue;
    const known = state.passport(agent);
    const kept = known === null ? null : passportIn(known.text);
    // One that was signed since, and not handed in, is not given up for the older one that the mesh has.
    if (kept !== null && (kept.hash() === hash || kept.serial > (serial ?? 0))) {
      have.add(hash);
      continue;
    }
    const found = await fetched(agent, hash);
    if (found === null || !isPinned(found.passport, state)) {
      missing++;
      continue;
    }
    const { name } = found.passport.agent;
    state.rememberPassport({
      agentId: agent,
      name,
      text: found.text,
      path: known?.path ?? null,
      addedAt: now,
    });
  }
  return missing;
}

/** How long a document may take, in ms. */
const FETCH_MS = 5_000;

/** Asks for what is missing, one look at a time; a look that is asked for meanwhile follows. Call it with every passport and proof. */
export function passportFetcher(
  lines: readonly MeshEndpoint[],
  copy: Pick<MeshCopy, 'passportMarks'>,
  state: Pick<State, 'passport' | 'pins' | 'rememberPassport'>,
  now: () => number,
): () => void {
  const have = new Set<string>();
  // Kept from one look to the next: a document is not to wait each time for an endpoint that does not answer.
  const order = [...lines];
  let [running, again] = [false, false];
  const look = async (): Promise<void> => {
    do {
      again = false;
      await fetchPassports(order, copy, state, { now: now(), timeoutMs: FETCH_MS, have });
    } while (again);
  };
  return () => {
    again = true;
    if (running) return;
    running = true;
    // A state that cannot be written is told of by what decides; the next proof tries again.
    void look()
      .catch(() => undefined)
      .finally(() => (running = false));
  };
}

function isPinned(passport: Passport, state: Pick<State, 'pins'>): boolean {
  return issuerProblem(passport, pinnedKeys(state.pins(passport.document.principal))) === null;
}
