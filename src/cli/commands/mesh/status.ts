import { Failure, saidOfReading } from '../../../app/failure.js';
import { meshSession } from '../../mesh/session.js';
import { clockDifference } from '../../mesh/clock.js';
import { PASSPHRASE_OPTIONS } from '../../input/options.js';
import { proofAge, type MeshCopy } from '../../../app/ports/mesh.js';
import { surveyMesh, type EndpointView } from '../../../app/mesh/overview.js';
import { regionsOf } from '../../../app/mesh/regions.js';
import { renderCopy, renderOverview, renderRegionsView, type CopyView } from '../../render/mesh.js';
import { clean, flowed } from '../../render/terminal/text.js';
import type { Notices } from '../../output.js';
import type { CommandSpec } from '../../spec.js';
import type { KeyPlaces } from '../../../workspace/keys.js';
import { configuredCopy } from '../../mesh/access.js';

interface Options extends KeyPlaces {
  readonly regions: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['mesh', 'status'],
  summary: 'Show the mesh, how far the copy here is, and every verifier that listens',
  detail: 'Asks every endpoint that is configured, and says which one does not answer, or tells another history.',
  options: [
    {
      title: 'Flags',
      options: [
        { flags: '--regions', description: 'also each region, and how far it has stored the log, as home knows it' },
        ...PASSPHRASE_OPTIONS,
      ],
    },
  ],
  examples: [
    { run: 'aip mesh status --json | jq .verifiers', why: 'who has applied what' },
    { run: 'aip mesh status --regions', why: 'which region is behind, or away' },
  ],
  exits: {
    4: 'the key store is missing, locked or refuses',
    5: 'the mesh cannot be reached or refuses, or an endpoint signs with another key or tells another history',
  },
  touches: ['network', 'state', 'keychain'],
  onlyReads: true,
  topics: ['mesh', 'growing'],

  async run({ options }, cli) {
    const { lines, check, access } = await meshSession(cli, options);
    const copy = await configuredCopy(cli);
    const { line, seen, endpoints } = await surveyMesh(lines, check).catch((error: unknown) => {
      throw withCopy(error, copyHere(copy, cli.io.now()));
    });
    const code = warnOfEndpoints(cli, endpoints);
    const regions = options.regions ? await regionsOf(line) : null;
    const here = copyHere(copy, cli.io.now());
    const differs = await clockDifference(cli, seen.time);
    if (!cli.globals.json) {
      cli.out(flowed(renderOverview(seen, here, cli.paint, cli.width), cli.width));
      if (regions !== null) cli.out(`\n${renderRegionsView(regions, cli.paint, cli.width)}`);
      return code;
    }
    cli.json({
      url: seen.url,
      mesh_public_key: access.publicKey,
      log_id: seen.logId,
      head: seen.head,
      time: seen.time,
      up_ms: seen.upMs,
      require_signed_commands: seen.requireSignedCommands,
      connected: seen.connected,
      verifiers: seen.listeners.map(
        ({ verifier, label, program, onStale, maxAgeMs, keyDenied, keyId, mode, seq, reports, lastSeenMs }) => ({
          verifier,
          label,
          program,
          on_stale: onStale,
          max_age_ms: maxAgeMs,
          key_denied: keyDenied,
          key_id: keyId,
          mode,
          seq,
          confirmed: reports,
          last_seen_ms: lastSeenMs,
        }),
      ),
      more: seen.more,
      roster: seen.roster,
      absent: seen.absent,
      absent_total: seen.absentTotal,
      older: seen.older,
      last_drill: seen.lastDrill,
      clock_differs_ms: differs,
      copy: { seq: here.seq, age_ms: here.ageMs },
      endpoints,
      ...regions,
    });
    return code;
  },
};

/** The exit code of a mesh whose endpoints stand like this. */
function warnOfEndpoints(cli: Notices, endpoints: readonly EndpointView[]): number {
  for (const { url, state, reason } of endpoints) {
    if (state === 'differs')
      cli.warn(
        `${clean(url)} tells another history under the key of this mesh: ${clean(reason!)}. What is revoked at one is not at the other: aip help incident`,
        'mesh_fork',
      );
    else if (state !== 'agrees') cli.warn(clean(reason!), `endpoint_${state}`);
  }
  return endpoints.some(({ state }) => state === 'differs' || state === 'foreign') ? 5 : 0;
}

function copyHere(copy: MeshCopy, now: number): CopyView {
  return {
    seq: copy.load()?.position.seq ?? null,
    ageMs: proofAge(copy, now),
    provenAt: copy.provenAt(),
  };
}

/** While the mesh is not heard, verifications here go by the copy: how old it is belongs to how the mesh stands. */
function withCopy(error: unknown, copy: CopyView): unknown {
  if (!(error instanceof Failure) || error.code !== 'NETWORK') return error;
  const { code, message, hint, retryable } = error;
  return new Failure(code, `${saidOfReading(message)} The copy here: ${renderCopy(copy)}.`, {
    ...(hint === null ? {} : { hint }),
    retryable,
    cause: error,
  });
}
