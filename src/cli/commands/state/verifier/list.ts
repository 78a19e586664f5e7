import { formatTime } from '../../../../protocol/time.js';
import { orderVerifiers } from '../../../../workspace/fleet/verifiers.js';
import { table } from '../../../render/terminal/table.js';
import { clean } from '../../../render/terminal/text.js';
import type { CommandSpec } from '../../../spec.js';
import { databaseOf, URL_OPTION, type DatabaseFlags } from '../../../state/database.js';

export const command: CommandSpec<DatabaseFlags> = {
  path: ['state', 'verifier', 'list'],
  summary: 'List the verifiers whose requests for approval count on all machines that share the database',
  options: [{ title: 'Flags', options: [URL_OPTION] }],
  examples: [{ run: 'aip state verifier list --url postgres://owner@db.acme.com/aip', why: 'who is enrolled' }],
  exits: {
    2: 'it is no URL of a database, or its password stands in the argument',
    5: 'the database cannot be reached, or refuses',
  },
  touches: ['network'],
  topics: ['growing', 'approvals'],

  async run({ options }, cli) {
    const database = await databaseOf(options, cli, 'aip state verifier list');
    const { verifiers } = await orderVerifiers(cli.workspace, database, { kind: 'list' });
    const shown = verifiers.map(({ publicKey, label, enrolledAt }) => ({
      public_key: publicKey,
      label,
      enrolled_at: formatTime(enrolledAt),
    }));
    if (cli.globals.json) cli.json(shown);
    else if (shown.length === 0) cli.note('No verifier is enrolled: aip state verifier add <key>');
    else {
      const columns = [{ title: 'key' }, { title: 'label' }, { title: 'since', optional: true }];
      const rows = shown.map((each) => [each.public_key, each.label || '-', each.enrolled_at].map(clean));
      cli.out(table(columns, rows, { width: cli.width, paint: cli.paint }));
    }
    return 0;
  },
};
