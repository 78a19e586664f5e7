import { isRefusedAs } from '../../../app/mesh/answers.js';
import { Failure } from '../../../app/failure.js';
import { findPassport } from '../../../app/passports/find.js';
import { publishPassport } from '../../../app/mesh/passports.js';
import { canonicalize } from '../../../protocol/json/canonical.js';
import type { JsonObject } from '../../../protocol/json/values.js';
import { readDocument } from '../../../workspace/files.js';
import { localState } from '../../../workspace/state.js';
import type { KeyPlaces } from '../../../workspace/keys.js';
import { PASSPHRASE_OPTIONS } from '../../input/options.js';
import { meshSession, orderDeps } from '../../mesh/session.js';
import { registering } from '../../passports/reach.js';
import { renderReach } from '../../render/standing.js';
import { clean } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';

interface Options extends KeyPlaces {
  readonly force?: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['passport', 'publish'],
  summary: 'Put a passport in force on every machine of the mesh, with the speed of a revocation',
  detail:
    'Takes the role operator. Its principal must be registered at the mesh (aip mesh principal add); from then on older passports of the agent are refused everywhere.',
  args: [{ name: 'agent', description: 'agent id, name of a known passport, or a passport file', values: 'agent' }],
  options: [
    {
      title: 'Flags',
      options: [
        {
          flags: '--force',
          description:
            'although a verifier of an older version would not hear of it, or (admin) over a leap of serials',
        },
        ...PASSPHRASE_OPTIONS,
      ],
    },
  ],
  examples: [{ run: 'aip passport publish support-agent-v1', why: 'after it was signed elsewhere' }],
  exits: {
    3: 'the passport is not known',
    4: 'the key store is missing, locked or refuses, or the role does not permit it',
    5: 'the mesh cannot be reached or refuses, or not every verifier has it yet (E501)',
  },
  touches: ['files', 'state', 'network', 'keychain'],
  topics: ['passports', 'mesh'],

  async run({ args, options }, cli) {
    const state = await localState(cli.workspace);
    const { passport } = await findPassport({ state, readFile: readDocument }, args[0]!);
    const deps = await orderDeps(cli, await meshSession(cli, options), options);
    const text = canonicalize(passport.document as unknown as JsonObject);
    const publishing = await publishPassport(deps, passport, text, options.force ?? false).catch(
      async (error: unknown) => {
        if (!(error instanceof Failure) || !isRefusedAs(error, 'PRINCIPAL_UNKNOWN')) throw error;
        const { code, message, retryable } = error;
        const hint = `as an admin: ${await registering(cli, passport.document.principal)}`;
        throw new Failure(code, message, { hint, retryable, cause: error });
      },
    );
    const { outcome, missing } = publishing;
    if (cli.globals.json) cli.json(outcome);
    else {
      const again = outcome.changed ? '' : ' (it was already)';
      cli.out(
        `${cli.paint.green('in force')} ${cli.paint.bold(clean(outcome.agent_id))} serial ${outcome.serial}${again}`,
      );
      cli.out(`  event ${outcome.seq} of the mesh\n  ${renderReach(publishing, cli.paint)}`);
    }
    if (missing <= 0) return 0;
    cli.warn('PROPAGATION_INCOMPLETE: not every verifier has it yet; aip mesh status shows which.', 'AIP-E501');
    return 5;
  },
};
