import { NATIVE_CODES } from '../../protocol/codes.js';
import { AIP1_CODES } from '../../protocol/aip1/codes.js';
import { runConformance, type CaseReport } from '../../app/conformance/run.js';
import { readSuite } from '../../app/conformance/file.js';
import type { Cli } from '../cli.js';
import { table } from '../render/terminal/table.js';
import { clean } from '../render/terminal/text.js';
import type { CommandSpec } from '../spec.js';
import { conformanceFile } from '../../workspace/files.js';

export const command: CommandSpec = {
  path: ['conformance'],
  summary: 'Run the AIP-1 conformance cases against this verifier, and report',
  detail:
    "The cases are in fixtures/aip-1/conformance.json of the package: data that any other verifier can be held to. A document is its text, or the changes (JSON Patch, RFC 6902) that make it of the file's base.",
  examples: [
    { run: 'aip conformance', why: 'a line a code' },
    { run: "aip conformance --json | jq '.cases[].name'", why: 'every case' },
  ],
  exits: { 15: 'a case did not end as it must' },
  touches: ['files'],
  topics: ['aip-1'],

  async run(_, cli) {
    const suite = readSuite(await conformanceFile());
    const cases = runConformance(suite);
    const failed = cases.filter(({ passed }) => !passed);
    if (cli.globals.json) {
      const shows = new Map(suite.cases.map((each) => [each.name, each.shows]));
      cli.json({
        ok: failed.length === 0,
        total: cases.length,
        passed: cases.length - failed.length,
        failed: failed.length,
        cases: cases.map((each) => ({ ...each, shows: shows.get(each.name) ?? '' })),
      });
    } else show(cases, failed, cli);
    return failed.length === 0 ? 0 : 15;
  },
};

function show(cases: readonly CaseReport[], failed: readonly CaseReport[], cli: Cli): void {
  const names = new Map(
    [...Object.values(NATIVE_CODES), ...Object.values(AIP1_CODES)].map(({ code, name }) => [code, name]),
  );
  const codes = [...new Set(cases.map(({ expected }) => expected))].sort((a, b) => ((a ?? '') < (b ?? '') ? -1 : 1));
  const rows = codes.map((code) => {
    const mine = cases.filter(({ expected }) => expected === code);
    const good = mine.filter(({ passed }) => passed).length;
    return [code ?? 'accepted', code === null ? '' : (names.get(code) ?? ''), `${good} of ${mine.length}`];
  });
  const columns = [{ title: 'answer' }, { title: 'name' }, { title: 'as it must' }];
  cli.out(table(columns, rows, { width: cli.width, paint: cli.paint }));
  for (const { name, expected, got } of failed)
    cli.out(`${cli.paint.red('FAILED')} ${clean(name)}: ${got ?? 'accepted'} instead of ${expected ?? 'accepted'}`);
  const end = `${cases.length - failed.length} of ${cases.length} cases`;
  cli.note(failed.length === 0 ? `\n${cli.paintErr.green('ok')} ${end}` : `\n${cli.paintErr.red('FAILED')} ${end}`);
}
