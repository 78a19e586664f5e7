import type { Finding } from '../../app/setup/doctor.js';
import { checkup } from '../doctor/checkup.js';
import { renderFinding, renderVerdict } from '../render/doctor.js';
import type { CommandSpec } from '../spec.js';

export const command: CommandSpec = {
  path: ['doctor'],
  summary: 'Check that this machine is set up well: config, state, clock, keys, passports',
  detail: 'Changes nothing and opens no key. Warnings do not change the exit code.',
  examples: [
    { run: 'aip doctor', why: 'when something does not work, and after setting a machine up' },
    { run: `aip doctor --json | jq '.[] | select(.status != "ok")'`, why: 'for a monitoring script' },
  ],
  exits: {
    2: 'the config, the clock or Node failed; or wrong use',
    3: 'the state failed',
    4: 'the key store or a key failed (the greatest of these wins)',
  },
  touches: ['files', 'state', 'keychain', 'processes', 'network'],
  onlyReads: true,
  topics: ['config', 'keys'],

  async run(_, cli) {
    const look = { paint: cli.paint, width: cli.width ?? 100 };
    const findings: Finding[] = [];
    for await (const finding of checkup(cli, { node: process.version })) {
      findings.push(finding);
      // Each as it is found: the keychain may take its seconds.
      if (!cli.globals.json && (!cli.globals.quiet || finding.status !== 'ok')) cli.out(renderFinding(finding, look));
    }
    if (cli.globals.json)
      cli.json(findings.map(({ check, status, message, hint }) => ({ check, status, message, hint })));
    else if (!cli.globals.quiet) cli.out(`\n${renderVerdict(findings, look)}`);
    return Math.max(0, ...findings.filter(({ status }) => status === 'failed').map(({ exitCode }) => exitCode));
  },
};
