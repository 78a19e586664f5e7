import { Failure } from '../../../app/failure.js';
import { digestOf, flatten } from '../../config/load.js';
import { findProjectFile, saveTrusted } from '../../config/files.js';
import { KEYS, type KeyName } from '../../config/keys.js';
import { clean, safeJson } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';

interface Options {
  readonly yes: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['config', 'trust'],
  summary: "Allow this folder's config file to set the mesh, pins and hooks",
  detail:
    'Remembers what the file says now; after a change it has to be trusted again. Hooks are code: read them first.',
  options: [{ title: 'Flags', options: [{ flags: '-y, --yes', description: 'trust it without asking' }] }],
  examples: [
    { run: 'aip config trust', why: 'shows what the file sets, and asks' },
    { run: 'aip config trust --yes', why: 'in a script that has checked the file' },
  ],
  exits: { 3: 'there is no config file here' },
  touches: ['files'],
  topics: ['config'],
  run: async (input, cli) => {
    const file = await findProjectFile(cli.io);
    if (file === null)
      throw new Failure('NOT_FOUND', 'there is no project config file here or above', { hint: 'aip help config' });
    const values = flatten(file);
    const settings = (Object.keys(values) as KeyName[]).filter(
      (name) => file.foreign || 'sensitive' in KEYS[name] || 'loosens' in KEYS[name],
    );
    for (const name of settings) cli.note(`  ${name}: ${safeJson(values[name])}`);
    if (!input.options.yes) {
      const agreed = await cli.ask.confirm({ message: `Trust ${file.path}?`, flag: '--yes' });
      if (!agreed) {
        cli.note('nothing was changed');
        return 2;
      }
    }
    const digest = digestOf(file);
    saveTrusted(cli.workspace.paths(), file.path, digest);
    if (cli.globals.json) cli.json({ path: file.path, digest, settings });
    else cli.out(`trusted ${clean(file.path)}`);
    return 0;
  },
};
