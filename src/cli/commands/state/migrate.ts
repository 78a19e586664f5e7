import { migrateFleet } from '../../../workspace/fleet/migration.js';
import { clean } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';
import { databaseOf, URL_OPTION, type DatabaseFlags } from '../../state/database.js';

interface Options extends DatabaseFlags {
  readonly grant: readonly string[];
  readonly dryRun?: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['state', 'migrate'],
  summary: 'Prepare the database in which verifiers share nonces, rates and spending',
  detail:
    'Run it as the user who owns the database, once for each new version: steps are applied in order, never undone, and a schema that is current is left as it is. Verifiers log in as another user, who may settle claims and do nothing else.',
  args: [],
  options: [
    {
      title: 'Flags',
      options: [
        URL_OPTION,
        {
          flags: '--grant <role>',
          description: 'the user that verifiers log in as; default: that of state.url, where it is another',
          repeatable: true,
        },
        { flags: '--dry-run', description: 'print the SQL that would run, and change nothing' },
      ],
    },
  ],
  examples: [
    {
      run: 'aip state migrate --url postgres://owner@db.acme.com/aip --grant aip_verifier',
      why: 'make the tables, and let verifiers in',
    },
    { run: 'aip state migrate --dry-run > aip.sql', why: 'for those who run SQL by hand' },
  ],
  exits: {
    2: 'it is no URL of a database, or its password stands in the argument',
    5: 'the database cannot be reached, or refuses',
  },
  touches: ['network'],
  topics: ['growing'],

  async run({ options }, cli) {
    const { grant, dryRun = false } = options;
    const database = await databaseOf(options, cli, 'aip state migrate');
    const verifiersUrl = (await cli.config()).get('state.url');
    const report = await migrateFleet(cli.workspace, { ...database, roles: grant, verifiersUrl, dryRun });
    const { kind, where, from, to } = report;
    const granted = kind === 'done' ? report.granted : [];
    if (cli.globals.json) cli.json({ where, from, to, granted, sql: kind === 'script' ? report.sql : null });
    else if (kind === 'script') cli.out(report.sql.trimEnd());
    else {
      const what = from === to ? `schema version ${to} is current` : `schema version ${from} became ${to}`;
      cli.out(`${cli.paint.green('migrated')} ${clean(where)}: ${what}`);
      for (const role of granted) cli.out(`  ${clean(role)} may settle claims, and nothing else`);
      if (granted.length === 0)
        cli.note('no user of verifiers was let in: aip state migrate --grant <role>, or they log in as the owner');
    }
    return 0;
  },
};
