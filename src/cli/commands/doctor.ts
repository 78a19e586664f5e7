import type { Finding } from '../../app/setup/doctor.js';
import type { Cli } from '../cli.js';
import { checkup } from '../doctor/checkup.js';
import { renderFinding, renderVerdict } from '../render/doctor.js';
import { hintInSamePlace, placeOf } from '../shell/same-place.js';
import type { CommandSpec } from '../spec.js';

interface Options {
  readonly warm: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['doctor'],
  summary: 'Check that this machine is set up well: config, state, clock, keys, passports',
  detail:
    'Changes nothing and opens no key. Warnings do not change the exit code. With --warm it first runs the commands that run most often, in a throwaway folder, so that each leaves a compiled form of the program in your cache folder and starts faster from then on; any command leaves its own when it first runs.',
  options: [
    {
      title: 'Flags',
      options: [{ flags: '--warm', description: 'compile the program ahead, for an image or a new machine' }],
    },
  ],
  examples: [
    { run: 'aip doctor', why: 'when something does not work, and after setting a machine up' },
    { run: 'aip doctor --warm', why: 'while an image is built, so that its first commands are fast' },
    { run: `aip doctor --json | jq '.[] | select(.status != "ok")'`, why: 'for a monitoring script' },
  ],
  exits: {
    2: 'the config, the clock or Node failed; or wrong use',
    3: 'the state failed',
    4: 'the key store or a key failed',
    5: 'the memory of the fleet (state.url) failed',
    15: 'a hook does not block what it must (the greatest of these wins)',
  },
  touches: ['files', 'state', 'keychain', 'processes', 'network'],
  onlyReads: true,
  topics: ['config', 'keys'],

  async run({ options }, cli) {
    const look = { paint: cli.paint, width: cli.width ?? 100 };
    const findings: Finding[] = [];
    const place = placeOf(cli.globals, cli.io.env);
    const pasted = (hint: string | null): string | null => (hint === null ? null : hintInSamePlace(hint, place));
    for await (const finding of looked(cli, options.warm)) {
      findings.push(finding);
      // Each as it is found: the keychain may take its seconds.
      if (!cli.globals.json && (!cli.globals.quiet || finding.status !== 'ok'))
        cli.out(renderFinding({ ...finding, hint: pasted(finding.hint) }, look));
    }
    if (cli.globals.json)
      cli.json(findings.map(({ check, status, message, hint }) => ({ check, status, message, hint })));
    else if (!cli.globals.quiet) cli.out(`\n${renderVerdict(findings, look)}`);
    return Math.max(0, ...findings.filter(({ status }) => status === 'failed').map(({ exitCode }) => exitCode));
  },
};

async function* looked(cli: Cli, ahead: boolean): AsyncGenerator<Finding> {
  if (ahead) yield* await (await import('../doctor/startup.js')).warm(cli, cli.io.startup);
  yield* checkup(cli, { node: process.version });
}
