import { resolve } from 'node:path';
import { Failure } from '../../../app/failure.js';
import { readTrusted, saveTrusted, type ConfigFile } from '../../config/files.js';
import { isUsersAlone } from '../../config/combine.js';
import type { KeyName } from '../../config/keys.js';
import { folderOf, searchProject } from '../../config/search.js';
import { digestOf } from '../../config/trusted.js';
import { flatten } from '../../config/values.js';
import type { Cli } from '../../cli.js';
import { clean, safeJson } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';

interface Options {
  readonly yes: boolean;
  readonly print: boolean;
  readonly forget?: string;
}

export const command: CommandSpec<Options> = {
  path: ['config', 'trust'],
  summary: "Let this folder's config file count, as it is now",
  detail:
    'Remembers what the file and its hooks say now, with all that these import; after a change nothing is verified here until it is trusted again. Hooks are code: read them first.',
  options: [
    {
      title: 'Flags',
      options: [
        { flags: '-y, --yes', description: 'trust it without asking' },
        { flags: '--print', description: 'print its digest for AIP_TRUST_CONFIG, and trust nothing' },
        { flags: '--forget <file>', description: 'verify without this trusted file from now on', values: 'file' },
      ],
    },
  ],
  examples: [
    { run: 'aip config trust', why: 'shows what the file sets, and asks' },
    { run: 'aip config trust --print', why: 'the digest that CI is given as AIP_TRUST_CONFIG' },
    { run: 'aip config trust --yes', why: 'in a script that has checked the file' },
  ],
  exits: { 3: 'there is no config file here' },
  touches: ['files'],
  topics: ['config'],
  run: async (input, cli) => {
    const { yes, print, forget } = input.options;
    if (forget !== undefined) return forgetFile(resolve(cli.io.cwd, forget), cli);
    const file = await nearestFile(cli);
    const values = flatten(file);
    const settings = Object.keys(values) as KeyName[];
    const digest = digestOf(file);
    if (print) {
      if (cli.globals.json) cli.json({ path: file.path, digest, settings, trusted: false });
      else cli.out(digest);
      return 0;
    }
    for (const name of settings)
      cli.note(
        `  ${name}: ${safeJson(values[name])}${isUsersAlone(name) ? '  (does not count: set it in the home)' : ''}`,
      );
    if (!yes) {
      const agreed = await cli.ask.confirm({ message: `Trust ${file.path}?`, flag: '--yes' });
      if (!agreed) {
        cli.note('nothing was changed');
        return 2;
      }
    }
    saveTrusted(cli.workspace.paths(), file.path, digest);
    if (cli.globals.json) cli.json({ path: file.path, digest, settings, trusted: true });
    else {
      cli.out(`trusted ${clean(file.path)}`);
      cli.note(`for CI: AIP_TRUST_CONFIG=${digest}`);
    }
    return 0;
  },
};

/** The file that would count here; fails on two in one folder, for one of them may be meant to hide the other. */
async function nearestFile(cli: Cli): Promise<ConfigFile> {
  const { files, skipped, doubles } = await searchProject(cli.io);
  const [file] = files;
  const unreadable = skipped.find(
    ({ path }) => file === undefined || folderOf(path).length >= folderOf(file.path).length,
  );
  if (file === undefined) {
    const why = unreadable === undefined ? '' : `; ${unreadable.path}: ${unreadable.why}`;
    throw new Failure(
      unreadable === undefined ? 'NOT_FOUND' : 'USAGE',
      `there is no project config file here or above${why}`,
      {
        hint: 'aip help config',
      },
    );
  }
  const both = doubles.find((paths) => paths.includes(file.path));
  if (both === undefined) return file;
  throw new Failure('USAGE', `two project files in one folder: ${both.join(' and ')}`, { hint: 'keep one of the two' });
}

function forgetFile(path: string, cli: Cli): number {
  if (!Object.hasOwn(readTrusted(cli.workspace.paths()), path))
    throw new Failure('NOT_FOUND', `${path} is not trusted here.`, { hint: 'aip config list --sources' });
  saveTrusted(cli.workspace.paths(), path, null);
  if (cli.globals.json) cli.json({ path, digest: null, settings: [], trusted: false });
  else cli.out(`forgotten ${clean(path)}`);
  return 0;
}
