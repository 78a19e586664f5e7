import { parsedPassport } from '../../../app/passports/find.js';
import { lintDestinations, lintPassport } from '../../../app/passports/lint.js';
import { readInput } from '../../input/documents.js';
import { clean } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';

interface Options {
  readonly failOnWarning?: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['passport', 'lint'],
  summary: 'Warn where a passport permits more than it needs to',
  args: [{ name: 'file', description: 'passport file (- for stdin)', values: 'file' }],
  options: [
    { title: 'For CI', options: [{ flags: '--fail-on-warning', description: 'exit 15 when there is a warning' }] },
  ],
  examples: [{ run: 'aip passport lint support-agent-v1.passport.json --fail-on-warning', why: 'as a CI step' }],
  exits: {
    3: 'the file does not exist or holds no passport',
    15: 'an error such as a constraint that limits nothing; warnings, with --fail-on-warning',
  },
  touches: ['files'],
  onlyReads: true,
  topics: ['passports', 'constraints', 'ci'],

  async run({ args, options }, cli) {
    const path = args[0]!;
    const { document } = parsedPassport(await readInput(path, cli), path);
    const findings = lintPassport(document);
    const destinations = lintDestinations(document);
    if (cli.globals.json) cli.json({ agent_id: document.agent_id, source: path, warnings: findings, destinations });
    else {
      for (const finding of findings) {
        const mark = finding.severity === 'error' ? cli.paint.red('error') : cli.paint.yellow('warning');
        cli.out(`${mark} ${cli.paint.bold(clean(finding.message))} [${finding.code}]`);
        cli.out(`  ${cli.paint.dim(clean(finding.hint))}`);
      }
      if (destinations.read.length > 0) cli.note(clean(`read as destinations: ${destinations.read.join(', ')}`));
      if (destinations.unread.length > 0)
        cli.note(clean(`look like destinations and are not read by name: ${destinations.unread.join(', ')}`));
      cli.note(
        findings.length === 0 ? `${cli.paintErr.green('ok')} nothing to warn of` : `${findings.length} warnings`,
      );
    }
    const fails = findings.some(({ severity }) => severity === 'error' || options.failOnWarning === true);
    return fails ? 15 : 0;
  },
};
