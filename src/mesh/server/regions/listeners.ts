/** Who listens to a mesh, as a server that follows home tells it: a region hears of its own verifiers alone. */
import { partOf } from '../../document.js';
import { Refused } from '../../refusal.js';
import { homeJson } from '../../regions/documents.js';
import { JsonError } from '../../../protocol/json/parse.js';
import { ShapeError } from '../../../protocol/json/shape.js';
import type { Request } from '../http/exchange.js';
import type { FollowedHome } from './relay.js';

/** What is counted over the whole mesh. */
const COUNTED = [
  ...(['connected', 'verifiers', 'more', 'roster', 'absent', 'absent_total', 'older'] as const),
  ...(['last_drill', 'last_confirmed'] as const),
];

/** Home's count, asked with the caller's own key; null where home does not give it. `request`: for the state of the mesh. */
export async function listenersAtHome(upstream: Pick<FollowedHome, 'forward'>, request: Request) {
  try {
    const { status, body } = await upstream.forward(request);
    return status === 200 ? partOf('MeshStatus', homeJson(body), COUNTED) : null;
  } catch (error) {
    if (error instanceof Refused || error instanceof ShapeError || error instanceof JsonError) return null;
    throw error;
  }
}
