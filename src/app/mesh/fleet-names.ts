/** The agents that a mesh knows, by name. */
import { partOf } from '../../mesh/document.js';
import type { JsonObject } from '../../protocol/json/values.js';
import type { MeshEndpoint } from '../ports/mesh.js';
import type { FleetName } from '../passports/find.js';
import type { Failure } from '../failure.js';
import { resultOf, unavailable } from './answers.js';

/** How long an endpoint may take, in ms: a name is looked up before anything else happens. */
const ANSWER_MS = 2_000;

/**
 * Agents whose ids hold `find`: of published passports, one of whose signatures held, or that were given a standing. Names that strangers
 * only wrote into their documents are left out. Fails with NETWORK when no endpoint answers.
 */
export async function fleetNames(lines: readonly MeshEndpoint[], find: string): Promise<readonly FleetName[]> {
  const target = `/v1/mesh/fleet?find=${encodeURIComponent(find)}`;
  let trouble: Failure | null = null;
  for (const line of lines) {
    const reply = await line.ask({ method: 'GET', target, timeoutMs: ANSWER_MS });
    const told = resultOf(line, reply, (answer) => partOf('Fleet', answer, ['agents']).agents.flatMap(nameIn));
    if (told.kind === 'done') return told.value;
    if (told.kind === 'refused') throw told.failure;
    trouble = unavailable(line, told.what, '');
  }
  if (trouble !== null) throw trouble;
  return [];
}

function nameIn(agent: JsonObject): FleetName[] {
  const members = ['agent_id', 'status', 'status_of', 'successful', 'failed'] as const;
  const {
    agent_id,
    status,
    status_of,
    successful,
    failed,
    serial = null,
  } = partOf('FleetAgent', agent, members, ['serial']);
  const stopped = status !== 'active' && status_of === agent_id;
  const published = serial !== null;
  return successful + failed > 0 || published || stopped ? [{ agentId: agent_id, published }] : [];
}
