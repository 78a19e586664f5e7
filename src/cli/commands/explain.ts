import { Failure } from '../../app/failure.js';
import { nearestCodes } from '../render/explain-catalogue.js';
import { codeRows, codesJson, explainJson, renderExplain } from '../render/explain.js';
import { table } from '../render/terminal/table.js';
import type { CommandSpec } from '../spec.js';
import { maskName } from '../../protocol/log/secret-text.js';

const COLUMNS = [
  { title: 'dialect' },
  { title: 'code' },
  { title: 'name' },
  { title: 'exit', right: true },
  { title: 'meaning', flexible: true, under: true },
];

export const command: CommandSpec = {
  path: ['explain'],
  summary: 'Explain a refusal code, or list them all',
  args: [
    { name: 'code', description: 'AIP-E202, e202, 202, or MONETARY_LIMIT_EXCEEDED', values: 'code', required: false },
  ],
  examples: [
    { run: 'aip explain AIP-E202', why: 'a code from a decision or a log' },
    { run: 'aip explain', why: 'every code, with its exit code' },
  ],
  exits: { 3: 'there is no such code' },
  touches: [],
  topics: ['exit-codes', 'verification'],

  async run({ args }, cli) {
    const [code] = args;
    if (code === undefined) {
      if (cli.globals.json) cli.json(codesJson());
      else cli.out(table(COLUMNS, codeRows(), { width: cli.width, paint: cli.paint }));
      return 0;
    }
    const found = explainJson(code);
    if (found === null) {
      const near = nearestCodes(code).map((entry) => `${entry.code} ${entry.name}`);
      throw new Failure('NOT_FOUND', `There is no code "${maskName(code).slice(0, 40)}".`, {
        hint: near.length === 0 ? 'aip explain' : `did you mean ${near.join(' or ')}?`,
      });
    }
    if (cli.globals.json) cli.json(found);
    else cli.out(renderExplain(code, cli.paint, { width: Math.min(80, cli.width ?? 80) })!);
    return 0;
  },
};
