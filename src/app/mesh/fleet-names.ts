/** The agents that a mesh knows, by name. */
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
    const told = resultOf(line, await line.ask({ method: 'GET', target, timeoutMs: ANSWER_MS }), (answer) =>
      answer
        .list('agents')
        .map((agent) => ({
          id: agent.text('agent_id'),
          believed: agent.number('successful') + agent.number('failed') > 0,
          published: agent.numberOr('serial', null) !== null,
          stopped: agent.text('status') !== 'active' && agent.textOrNull('status_of') === agent.text('agent_id'),
        }))
        .filter(({ believed, published, stopped }) => believed || published || stopped)
        .map(({ id, published }) => ({ agentId: id, published })),
    );
    if (told.kind === 'done') return told.value;
    if (told.kind === 'refused') throw told.failure;
    trouble = unavailable(line, told.what, '');
  }
  if (trouble !== null) throw trouble;
  return [];
}
