import { withdrawPassport } from '../../../../app/mesh/passports.js';
import type { KeyPlaces } from '../../../../workspace/keys.js';
import { PASSPHRASE_OPTIONS } from '../../../input/options.js';
import { meshSession, orderDeps } from '../../../mesh/session.js';
import { subjectNamed } from '../../../mesh/orders/subject.js';
import { renderReach } from '../../../render/standing.js';
import { clean } from '../../../render/terminal/text.js';
import type { CommandSpec } from '../../../spec.js';

export const command: CommandSpec<KeyPlaces> = {
  path: ['mesh', 'passport', 'withdraw'],
  summary: 'Have the mesh demand nothing of the passport of an agent any more',
  detail:
    'Takes the role admin: for a passport that was published by mistake. Floors that a machine learnt from documents stay.',
  args: [{ name: 'agent', description: 'agent id, or name of a known passport', values: 'agent' }],
  options: [{ title: 'Flags', options: [...PASSPHRASE_OPTIONS] }],
  examples: [{ run: 'aip mesh passport withdraw support-agent-v1', why: 'a draft was published' }],
  exits: {
    3: 'the agent is not known by that name',
    4: 'the key store is missing, locked or refuses, or the role does not permit it',
    5: 'the mesh cannot be reached, or refuses',
  },
  touches: ['network', 'state', 'keychain'],
  topics: ['mesh', 'passports'],

  async run({ args, options }, cli) {
    const agent = await subjectNamed(cli, args[0], false);
    const deps = await orderDeps(cli, await meshSession(cli, options), options);
    const publishing = await withdrawPassport(deps, agent);
    if (cli.globals.json) cli.json(publishing.outcome);
    else {
      const again = publishing.outcome.changed ? '' : ' (none was demanded)';
      cli.out(`${cli.paint.green('withdrawn')} ${clean(agent)}${again}\n  ${renderReach(publishing, cli.paint)}`);
    }
    return publishing.missing > 0 ? 5 : 0;
  },
};
