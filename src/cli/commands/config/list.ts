import { loadConfig, type ConfigEntry } from '../../config/load.js';
import { KEYS, unknownVariables } from '../../config/keys.js';
import { table } from '../../render/terminal/table.js';
import type { CommandSpec } from '../../spec.js';

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
  onlyReads: true,
  topics: ['config'],
  run: async (input, cli) => {
    const config = await loadConfig(cli);
    const paths = cli.workspace.paths();
    for (const { message, code } of config.warnings) cli.warn(message, code);
    for (const warning of unknownVariables(cli.io.env)) cli.warn(warning);
    if (cli.globals.json) {
      cli.json({
        values: Object.fromEntries(config.entries.map((entry) => [entry.name, shownOf(entry)])),
        sources: Object.fromEntries(config.entries.map(({ name, origin, from }) => [name, { origin, from }])),
        files: config.files,
        untrusted: config.untrusted,
        problems: config.problems.map(({ message }) => message),
        folders: { config: paths.configDir, state: paths.stateFile, keys: paths.keysDir },
      });
      return 0;
    }
    const rows = config.entries.map((entry) => {
      const value = shownOf(entry);
      const shown = value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);
      return [
        entry.name,
        shown,
        ...(input.options.sources ? [entry.from === null ? entry.origin : `${entry.origin}: ${entry.from}`] : []),
      ];
    });
    const columns = [
      // A name is pasted into a file: it is never cut.
      { title: 'key' },
      { title: 'value', flexible: true },
      { title: 'source', flexible: true, under: true },
    ];
    cli.out(table(columns.slice(0, input.options.sources ? 3 : 2), rows, { width: cli.width, paint: cli.paint }));
    if (input.options.sources) {
      cli.note(`config folder ${paths.configDir}\nstate         ${paths.stateFile}\nkeys          ${paths.keysDir}`);
    }
    return 0;
  },
};

/** A terminal is looked at, and its output is pasted. */
function shownOf({ name, shown }: ConfigEntry): unknown {
  return shown !== null && 'secret' in KEYS[name] ? '(set)' : shown;
}
