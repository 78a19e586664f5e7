/** What `aip doctor` looks at where verifiers share a memory: whether it answers, how fast, and by which clock. */
import { ok, warning, type Finding } from '../../app/setup/doctor.js';
import { sharedHealth } from '../../workspace/fleet/memory.js';
import type { Setting } from '../setting.js';

/** So far apart two clocks may be, in ms; windows go by the memory's, the age of intents by this machine's. */
const APART_MS = 2000;

/** Nothing is settled. Rejects with a Failure where the memory gives no answer. */
export async function inspectFleet({ workspace }: Pick<Setting, 'workspace'>, url: string): Promise<Finding[]> {
  const health = await sharedHealth(workspace, url);
  const { where, roundTripMs, aheadMs, schema, latestSchema, encrypted, verifier, enrolled } = health;
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  return [
    ok('fleet', `${where} answers in ${roundTripMs.toFixed(1)} ms; its schema has version ${schema}.`),
    ...(schema >= latestSchema
      ? []
      : [
          warning(
            'fleet',
            `This aip brings schema version ${latestSchema}. Once all verifiers have it, the database's owner migrates.`,
            'aip state migrate',
          ),
        ]),
    Math.abs(aheadMs) <= APART_MS
      ? ok('fleet', "This machine's clock agrees with the database's.")
      : warning(
          'fleet',
          `clock_differs: this machine's clock is ${seconds} s ${aheadMs > 0 ? 'behind' : 'ahead of'} the database's, by which windows are counted.`,
          'timedatectl status',
        ),
    ...(verifier === null ? [] : [enrolment(verifier, enrolled)]),
    ...(encrypted
      ? []
      : [
          warning(
            'fleet',
            'Everything goes to the database in plain text over the network.',
            'say sslmode=verify-full in state.url',
          ),
        ]),
  ];
}

function enrolment(verifier: string, enrolled: boolean): Finding {
  return enrolled
    ? ok('fleet', `Requests for approval of this verifier, ${verifier}, count on all machines that share the database.`)
    : ok(
        'fleet',
        `Requests for approval of this verifier stay on this machine until the database's owner says: aip state verifier add ${verifier}`,
      );
}
