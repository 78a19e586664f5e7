/** Whom a command about standing means. */
import { Failure } from '../../../app/failure.js';
import { EVERYONE, orderSubject } from '../../../mesh/subject.js';
import { formatPublicKey } from '../../../protocol/identity/keys.js';
import { readPublicKey } from '../../../protocol/identity/public-key-forms.js';
import type { ArgSpec, OptionSpec } from '../../spec.js';
import type { KeyPlaces } from '../../../workspace/keys.js';
import type { Setting } from '../../setting.js';
import type { Notices } from '../../output.js';
import type { Surroundings } from '../../io.js';

export const SUBJECT_ARG: ArgSpec = {
  name: 'agent',
  description: 'agent id, name, name@domain, passport file, principal (all of its agents), or a key in any form',
  required: false,
  values: 'subject',
};

export const EVERYONE_OPTION: OptionSpec = { flags: '--everyone', description: 'every agent of the mesh' };

/** Exit code of a mesh that does not answer. */
const UNREACHED = 5;

/** What the command line says of whom it means; EVERYONE for `--everyone`. @throws Failure USAGE where it names nobody, or says both */
export function wordForSubject(agent: string | undefined, everyone: boolean): string {
  if (everyone && agent !== undefined)
    throw new Failure('USAGE', `Name ${agent.slice(0, 80)} or --everyone, not both.`, {
      hint: 'aip revoke --help',
    });
  if (everyone) return EVERYONE;
  if (agent === undefined)
    throw new Failure('USAGE', 'No agent was named.', { hint: 'an agent id, a name, a passport file, or --everyone' });
  return agent;
}

export async function subjectNamed(
  cli: Setting & Notices & Surroundings,
  given: string | undefined,
  everyone: boolean,
  places: KeyPlaces = {},
): Promise<string> {
  const agent = wordForSubject(given, everyone);
  if (everyone) return EVERYONE;
  // An id needs nothing that this machine knows: a stranger's agent can be stopped too.
  const subject = orderSubject(agent);
  if (subject !== null) return subject;
  if (/^(?:did|ed25519):/.test(agent))
    throw new Failure('USAGE', `"${agent.slice(0, 80)}" names no agent, principal or key.`, {
      hint: 'did:web:<domain>:agents:<name>, did:web:<domain>, <did>#key-<n>, or ed25519:<64 hex>',
    });
  const [{ agentNamed }, { findingAnywhere }] = await Promise.all([
    import('../../../app/passports/agent-named.js'),
    import('../fleet.js'),
  ]);
  const finding = await findingAnywhere(cli, places);
  // A key of an agent that is named as logs name it.
  const [, name = agent, key = ''] = /^(.+)(#key-[0-9]+)$/.exec(agent) ?? [];
  try {
    return `${await agentNamed(finding, name)}${key}`;
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'NOT_FOUND') throw error;
    const reading = readPublicKey(agent);
    if (reading.kind === 'key') return formatPublicKey(reading.publicKey);
    // Not known here is not unknown: the mesh may know the name.
    const trouble = finding.unasked();
    if (trouble?.exitCode !== UNREACHED) throw error;
    // The copy holds those that were stopped alone: it cannot tell that no other agent has the name.
    const [id = `did:web:<domain>:agents:${name}`, ...more] = finding
      .stoppedInCopy()
      .filter((subject) => subject.endsWith(`:agents:${name}`));
    throw new Failure(
      trouble.code,
      `No passport here is named "${name}", and the mesh was not asked: ${trouble.message}`,
      { hint: `give the whole id: ${[id, ...more].join(', or ')}` },
    );
  }
}
