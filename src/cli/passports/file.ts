import { Failure } from '../../app/failure.js';
import { findPassport } from '../../app/passports/find.js';
import type { UnreadablePassport } from '../../app/verification/trust/local-trust.js';
import { isAgentId } from '../../protocol/identity/did.js';
import { passportOf, type Passport } from '../../protocol/passport.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { isObject } from '../../protocol/json/values.js';
import { documentReader, jsonIn } from '../input/documents.js';
import { localState } from '../../workspace/state.js';
import type { Setting } from '../setting.js';
import type { Notices } from '../output.js';
import type { Surroundings } from '../io.js';

/**
 * A passport that a verification is given. A file that is no JSON is the caller's mistake; one that names its agent and is no
 * valid passport makes that agent's intents refused with E103.
 */
export async function passportFile(
  path: string,
  cli: Setting & Notices & Surroundings,
): Promise<Passport | UnreadablePassport> {
  const readFile = documentReader(cli);
  const bytes = await readFile(path);
  if (bytes === null) return (await findPassport({ state: await localState(cli.workspace), readFile }, path)).passport;
  const where = path === '-' ? 'stdin' : path;
  const json = jsonIn(bytes, where);
  try {
    return passportOf(json);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    const { agent_id: agentId, key_id: keyId } = isObject(json) ? json : {};
    const holder = typeof keyId === 'string' ? keyId.split('#', 1) : [];
    if (isId(agentId)) return { agentIds: [agentId, ...holder.filter(isId)], reason: error.reason };
    throw new Failure('UNREADABLE', `${where} is not a passport (AIP-E103): ${error.reason}.`);
  }
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && isAgentId(value);
}
