import { inSamePlace, placeOf } from '../../shell/same-place.js';
import { resolve } from 'node:path';
import { Failure, shellWord } from '../../../app/failure.js';
import { isDatabaseUrl, migrateMesh, requireNoPassword } from '../../../workspace/mesh/migration.js';
import { YES_OPTION } from '../../input/options.js';
import { clean, counted } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';

interface Options {
  readonly from?: string;
  readonly to?: string;
  readonly yes: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['mesh', 'migrate'],
  summary: 'Copy a mesh from its folder into PostgreSQL, or back, and compare both ends',
  detail:
    'The servers are stopped before. The log goes on with the same id and hashes, under a greater term; what was copied is sealed, so that nobody goes on with it by mistake. Everything but shipped logs is copied; both ends are then read from one end to the other and compared. A copy that was broken off goes on where it ended. mesh.key stays where it is: each server has it in its data folder.',
  options: [
    {
      title: 'The ends',
      options: [
        { flags: '--from <place>', description: 'data folder of a mesh, or postgres://...', values: 'file' },
        { flags: '--to <place>', description: 'an empty folder, or an empty database: postgres://...', values: 'file' },
        YES_OPTION,
      ],
    },
  ],
  examples: [
    {
      run: 'aip mesh migrate --from /var/lib/aip/mesh --to postgres://aip_mesh@db.acme.com/aip',
      why: 'one machine is outgrown',
    },
    { run: 'aip mesh migrate --from postgres://aip_mesh@db.acme.com/aip --to ./mesh', why: 'and back' },
  ],
  exits: {
    3: 'there is no mesh in --from, another one in --to, a server has the folder open, or the two ends differ',
    5: 'the database does not answer',
  },
  touches: ['network', 'files', 'state'],
  topics: ['growing', 'mesh'],

  async run({ options }, cli) {
    const [from, to] = [place('--from', options.from, cli.io.cwd), place('--to', options.to, cli.io.cwd)];
    if (from === to) throw new Failure('USAGE', 'Both ends are the same.', { hint: '--from <place> --to <another>' });
    const message = `Copy the mesh of ${clean(from)} into ${clean(to)}, and seal what was copied`;
    if (!options.yes && !(await cli.ask.confirm({ message, flag: '--yes' })))
      throw new Failure('USAGE', 'Nothing was changed.', { hint: 'answer y, or give --yes' });
    const { digest, term } = await migrateMesh(cli.workspace.world, from, to);
    if (cli.globals.json) {
      cli.json({ from, to, ...digest, term, equal: true });
      return 0;
    }
    cli.out(
      `${cli.paint.green('equal')} ${counted(digest.events, 'event')} at both ends, head ${digest.head.slice(0, 16)}..., term ${term}`,
    );
    const flag = isDatabaseUrl(to) ? `--store ${shellWord(to)}` : `--data ${shellWord(to)}`;
    const serve = inSamePlace(`aip mesh serve ${flag}`, placeOf(cli.globals, cli.io.env));
    cli.out(`  ${clean(from)} is sealed. Serve the copy, with the same mesh.key in the data folder:\n  ${serve}`);
    return 0;
  },
};

/** A folder, or a URL without a password. @throws Failure USAGE */
function place(flag: string, given: string | undefined, cwd: string): string {
  if (given === undefined)
    throw new Failure('USAGE', `${flag} is not said.`, { hint: `${flag} <dir> | postgres://user@host/database` });
  if (!isDatabaseUrl(given)) return resolve(cwd, given);
  requireNoPassword(given, flag);
  return given;
}
