import { Failure } from '../../app/failure.js';
import { nearestCodes } from '../render/explain-catalogue.js';
import { explainJson, renderExplain } from '../render/explain.js';
import type { CommandSpec } from '../spec.js';

export const command: CommandSpec = {
  path: ['explain'],
  summary: 'Explain a refusal code: meaning, facts, remedy, exit code',
  args: [{ name: 'code', description: 'AIP-E202, e202, 202, or MONETARY_LIMIT_EXCEEDED', values: 'code' }],
  examples: [{ run: 'aip explain AIP-E202', why: 'a code from a decision or a log' }],
  exits: { 3: 'there is no such code' },
  touches: [],
  topics: ['exit-codes', 'verification'],

  async run({ args }, cli) {
    const code = args[0]!;
    const found = explainJson(code);
    if (found === null) {
      const near = nearestCodes(code).map((entry) => `${entry.code} ${entry.name}`);
      throw new Failure('NOT_FOUND', `There is no code "${code.slice(0, 40)}".`, {
        hint: near.length === 0 ? 'aip help verification' : `did you mean ${near.join(' or ')}?`,
      });
    }
    if (cli.globals.json) cli.json(found);
    else cli.out(renderExplain(code, cli.paint, { width: Math.min(80, cli.width ?? 80) })!);
    return 0;
  },
};
