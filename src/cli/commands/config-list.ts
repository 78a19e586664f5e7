import type { Cli } from '../cli.js';
import { loadConfig } from '../config.js';
import { KEY_NAMES, OTHER_VARIABLES, variableOf } from '../config-keys.js';
import { nearest } from '../nearest.js';
import { table } from '../render/table.js';
import type { CommandSpec } from '../spec.js';

interface Options {
  readonly sources: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['config', 'list'],
  summary: 'Show every config key, its value, and where it came from',
  options: [
    {
      title: 'Flags',
      options: [{ flags: '--sources', description: 'show which file or variable won, and the folders' }],
    },
  ],
  examples: [
    { run: 'aip config list --sources', why: 'which setting won, and why' },
    { run: 'aip config list --json | jq .values', why: 'for scripts' },
  ],
  touches: ['files'],
  topics: ['config'],
  run: async (input, cli) => {
    const config = await loadConfig(cli, { inspect: true });
    const paths = cli.paths();
    if (config.untrusted.length > 0) {
      cli.warn(
        `${config.files.project} is not trusted; ignored: ${config.untrusted.join(', ')}. Other commands refuse it: aip config trust`,
      );
    }
    warnOfStrangers(cli);
    if (cli.globals.json) {
      cli.json({
        values: Object.fromEntries(config.entries.map((entry) => [entry.name, entry.shown])),
        sources: Object.fromEntries(config.entries.map(({ name, origin, from }) => [name, { origin, from }])),
        files: config.files,
        untrusted: config.untrusted,
        folders: { config: paths.configDir, state: paths.stateFile, keys: paths.keysDir },
      });
      return 0;
    }
    const rows = config.entries.map((entry) => {
      const shown =
        entry.shown === null ? '' : typeof entry.shown === 'string' ? entry.shown : JSON.stringify(entry.shown);
      return [
        entry.name,
        shown,
        ...(input.options.sources ? [entry.from === null ? entry.origin : `${entry.origin}: ${entry.from}`] : []),
      ];
    });
    const columns = [{ title: 'key' }, { title: 'value', flexible: true }, { title: 'source', flexible: true }];
    cli.out(table(columns.slice(0, input.options.sources ? 3 : 2), rows, { width: cli.width, paint: cli.paint }));
    if (input.options.sources) {
      cli.note(`config folder ${paths.configDir}\nstate         ${paths.stateFile}\nkeys          ${paths.keysDir}`);
    }
    return 0;
  },
};

/** A misspelt variable is worse than a misspelt key: nothing would refuse it. */
function warnOfStrangers(cli: Cli): void {
  const known = [...KEY_NAMES.map(variableOf), ...Object.keys(OTHER_VARIABLES)];
  for (const name of Object.keys(cli.io.env)) {
    if (!name.startsWith('AIP_') || known.includes(name)) continue;
    const guess = nearest(name, known);
    cli.warn(`${name} means nothing to aip${guess === null ? '' : `; did you mean ${guess}?`}`);
  }
}
