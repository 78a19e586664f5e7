import { dirname, resolve } from 'node:path';
import { readCases, runCase, type CaseResult } from '../../../app/policy/cases.js';
import { coverageOf } from '../../../app/policy/coverage.js';
import { Failure } from '../../../app/failure.js';
import { ShapeError } from '../../../protocol/json/shape.js';
import type { JsonObject } from '../../../protocol/json/values.js';
import type { Decision } from '../../../verify/decision.js';
import { jsonFilesIn, readDocument } from '../../../workspace/files.js';
import { throwawayVerifiers } from '../../../workspace/verification.js';
import type { Cli } from '../../cli.js';
import { readInput } from '../../input/documents.js';
import { casesJson, knownPassport, objectIn } from '../../policy/documents.js';
import type { GithubWording } from '../../render/formats/github.js';
import { repositoryFile } from '../../render/formats/repository.js';
import { clean, flowed } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';
import { maskName } from '../../../protocol/log/secret-text.js';

interface Options {
  readonly format?: 'human' | 'json' | 'junit' | 'sarif' | 'github';
  readonly passport?: string;
  readonly coverage: boolean;
}

type Ran = CaseResult & { readonly file: string; readonly passport: JsonObject };

export const command: CommandSpec<Options> = {
  path: ['policy', 'test'],
  summary: 'Run cases against passports: what must be accepted, and what refused with which code',
  detail:
    'A case is {name, passport?, now?, history?, intent, approved_by?, expect: "accept" | "AIP-E...", details?}; a file holds one or a list, and its paths are relative to it. Throwaway keys sign what is not signed; no hook, network or key store is asked.',
  args: [{ name: 'files', description: 'case files, or folders of *.json', values: 'file', variadic: true }],
  options: [
    {
      title: 'Flags',
      options: [
        {
          flags: '-p, --passport <agent>',
          description: 'passport of cases that name none: a file, or the name of one known here',
          values: 'agent',
        },
        {
          flags: '--format <format>',
          description: 'how the results are written',
          choices: ['human', 'json', 'junit', 'sarif', 'github'],
        },
        { flags: '--coverage', description: 'which action and constraint has seen both a yes and a no' },
      ],
    },
  ],
  examples: [
    { run: 'aip policy test policy/', why: 'before a passport changes' },
    { run: 'aip policy test cases.json -p bot.passport.json --coverage', why: 'what no case has tried' },
    { run: 'aip policy test policy/ --format junit > results.xml', why: 'in CI' },
  ],
  exits: { 3: 'a file does not exist, or holds no cases', 15: 'a case failed' },
  touches: ['files', 'state'],
  onlyReads: true,
  topics: ['policy', 'ci', 'constraints'],

  async run({ args, options }, cli) {
    const format = options.format ?? (cli.globals.json ? 'json' : 'human');
    const fallback = options.passport === undefined ? null : await passportOfCases(options.passport, cli);
    const open = await throwawayVerifiers(cli.workspace);
    const ran: Ran[] = [];
    for (const file of await caseFiles(args, cli)) {
      const base = file === '-' ? cli.io.cwd : dirname(file);
      const bytes = file === '-' ? await readInput('-', cli) : await readFound(file);
      const part = async (path: string): Promise<JsonObject> => objectIn(await readFound(resolve(base, path)), path);
      try {
        for (const each of await readCases(casesJson(bytes, file), part, fallback))
          ran.push({ ...(await runCase(each, open, cli.io.now())), file, passport: each.passport });
      } catch (error) {
        if (!(error instanceof ShapeError)) throw error;
        throw new Failure('UNREADABLE', `${file} cannot be run: ${error.reason}.`, { hint: 'aip policy test --help' });
      }
    }
    if (ran.length === 0) throw new Failure('USAGE', 'There are no cases to run.', { hint: 'aip help policy' });
    await write(ran, format, options.coverage, cli);
    return ran.every(({ passed }) => passed) ? 0 : 15;
  },
};

const FAILED_CASE = {
  code: 'CASE_FAILED',
  meaning: 'A case of aip policy test did not come out as it says.',
  remedy: 'Correct the passport, or the case, where it expects the wrong answer.',
} as const;

const CASES: GithubWording = {
  word: 'FAILED',
  more: (count) => `${count} more failed ${count === 1 ? 'case is' : 'cases are'} not annotated.`,
};

async function passportOfCases(given: string, cli: Cli): Promise<JsonObject> {
  const known = await knownPassport(given, cli);
  if (known !== null) return known.passport.document as unknown as JsonObject;
  return objectIn(await readInput(given, cli), given);
}

async function caseFiles(given: readonly string[], cli: Cli): Promise<string[]> {
  const files: string[] = [];
  for (const each of given) {
    if (each === '-') files.push(each);
    else files.push(...((await jsonFilesIn(resolve(cli.io.cwd, each))) ?? [resolve(cli.io.cwd, each)]));
  }
  return files;
}

async function readFound(path: string): Promise<Uint8Array> {
  const bytes = await readDocument(path);
  if (bytes !== null) return bytes;
  throw new Failure('NOT_FOUND', `There is no file ${maskName(path).slice(0, 300)}.`, {
    hint: 'aip policy test --help',
  });
}

async function write(
  ran: readonly Ran[],
  format: NonNullable<Options['format']>,
  coverage: boolean,
  cli: Cli,
): Promise<void> {
  const failed = ran.filter(({ passed }) => !passed).length;
  const seen = coverage ? coverageOf(ran) : null;
  const told = ran.map((each) => asDecision({ ...each, file: repositoryFile(cli.io, each.file) }));
  switch (format) {
    case 'json':
      return cli.json({
        total: ran.length,
        passed: ran.length - failed,
        failed,
        cases: ran.map(({ name, file, passed, expected, actual, reason, decision }) => ({
          ...{ name, file, passed, expected, actual, reason, details: decision.details },
        })),
        coverage: seen,
      });
    case 'junit': {
      const { renderJunit } = await import('../../render/formats/junit.js');
      return cli.out(renderJunit(told, 'aip policy test'));
    }
    case 'sarif': {
      const { renderFindings } = await import('../../render/formats/sarif.js');
      return cli.out(renderFindings(told, FAILED_CASE));
    }
    case 'github': {
      const { renderGithub } = await import('../../render/formats/github.js');
      const { lines } = renderGithub(told, [], CASES);
      return lines === '' ? undefined : cli.out(lines);
    }
    case 'human':
      for (const { name, passed, expected, reason } of ran) {
        const mark = passed ? cli.paint.green('ok  ') : cli.paint.red(cli.paint.bold('FAIL'));
        const said = `${mark} ${clean(name)}  ${cli.paint.dim(clean(passed ? expected : (reason ?? '')))}`;
        cli.out(flowed(said, cli.width));
      }
      cli.out(`${ran.length - failed} of ${ran.length} cases passed`);
      if (seen !== null) for (const line of coverageLines(seen)) cli.out(line);
  }
}

function coverageLines({ actions, constraints }: ReturnType<typeof coverageOf>): string[] {
  const told = (name: string, { accepted, refused }: { accepted: boolean; refused: boolean }): string[] =>
    accepted && refused
      ? []
      : [`  ${clean(name)}: ${accepted ? 'no refusal' : refused ? 'no yes' : 'neither a yes nor a no'} was tried`];
  const missing = [
    ...actions.flatMap((each) => told(`action ${each.action}`, each)),
    ...constraints.flatMap((each) => told(`constraint ${each.constraint}`, each)),
  ];
  return missing.length === 0 ? ['every action and constraint has seen a yes and a no'] : ['not covered:', ...missing];
}

/** A failed case in the words of the report formats: what was found, at the file of the case. */
function asDecision({ decision, passed, name, reason, actual, expected, file }: Ran): Decision {
  const details = { agent_id: decision.agent_id ?? '', expected, actual, case: name };
  const refusal = { error_code: FAILED_CASE.code, error_message: FAILED_CASE.code, details };
  return {
    ...decision,
    action: name,
    source: file,
    success: passed,
    error_code: passed ? null : FAILED_CASE.code,
    error_message: passed ? null : FAILED_CASE.code,
    message: reason ?? `${name}: as expected`,
    details: passed ? null : details,
    violations: passed ? [] : [refusal],
    outcome_token: null,
  };
}
