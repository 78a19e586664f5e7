import { resolve } from 'node:path';
import { backUpMesh } from '../../../workspace/mesh/backup.js';
import { DATA_OPTION, meshFolder } from '../../mesh/data-folder.js';
import { clean, counted } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';

interface Options {
  readonly data?: string;
  readonly force: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['mesh', 'backup'],
  summary: 'Write the mesh served here into one private file',
  detail:
    'The key that it signs with is in it, and the server may go on meanwhile. Who has the file can forge the mesh: it is written with mode 0600, and belongs where keys belong. Shipped logs are not in it.',
  args: [{ name: 'file', description: 'where it goes', values: 'file' }],
  options: [
    {
      title: 'Flags',
      options: [DATA_OPTION, { flags: '--force', description: 'replace the file' }],
    },
  ],
  examples: [{ run: 'aip mesh backup mesh-2026-11-29.backup', why: 'from cron, on the machine that serves' }],
  exits: { 3: 'there is no mesh in that folder', 4: 'its key can be read by others' },
  touches: ['files', 'state'],
  topics: ['mesh'],

  async run({ args, options }, cli) {
    const folder = meshFolder(options.data, cli);
    const file = resolve(cli.io.cwd, args[0]!);
    const { logId, seq, term, keyAddress, sealedBy } = backUpMesh(folder, file, options.force);
    const key = keyAddress === null ? 'the key of the mesh' : `where its key is asked, ${clean(keyAddress)}`;
    if (sealedBy !== null)
      cli.warn(
        `The mesh in ${folder} is sealed: it has gone on elsewhere, in term ${sealedBy}, and nothing of what came since is in this backup.`,
        'sealed',
      );
    if (cli.globals.json) cli.json({ file, log_id: logId, head: seq, term });
    else cli.out(`${cli.paint.green('written')} ${clean(file)}: ${counted(seq, 'event')} and ${key}, mode 0600`);
    return 0;
  },
};
