import { Failure } from '../../app/failure.js';
import { attackPassport, type ConstraintReport, type RedteamReport } from '../../app/redteam/report.js';
import { ShapeError } from '../../protocol/json/shape.js';
import type { Decision } from '../../verify/decision.js';
import { throwawayVerifiers } from '../../workspace/verification.js';
import type { Cli } from '../cli.js';
import { integer } from '../input/values.js';
import { draftPassport } from '../policy/documents.js';
import type { GithubWording } from '../render/formats/github.js';
import { repositoryFile } from '../render/formats/repository.js';
import { clean, flowed } from '../render/terminal/text.js';
import type { CommandSpec } from '../spec.js';

interface Options {
  readonly passport?: string;
  readonly seed: number;
  readonly runs: number;
  readonly format?: 'human' | 'json' | 'junit' | 'sarif' | 'github';
}

const DEFAULT_RUNS = 2000;

export const command: CommandSpec<Options> = {
  path: ['redteam'],
  summary: 'Attack a passport of your own: which limits hold, and what gets round them',
  detail:
    'Attacks are made from its limits and schemas and go through the real verifier, on a throwaway state and with throwaway keys; an oracle of its own says what must be refused. No hook, network, bell or key store is asked.',
  options: [
    {
      title: 'Flags',
      options: [
        {
          flags: '-p, --passport <agent>',
          description: 'the passport: a file, also of a draft, or the name of one known here',
          values: 'agent',
        },
        {
          flags: '--seed <n>',
          description: 'the same seed gives the same attacks',
          value: integer(0, 4_294_967_295),
          default: 1,
        },
        {
          flags: '--runs <n>',
          description: 'attacks at most; each kind is tried before any is repeated',
          value: integer(1, 1_000_000),
          default: DEFAULT_RUNS,
        },
        {
          flags: '--format <format>',
          description: 'how the report is written',
          choices: ['human', 'json', 'junit', 'sarif', 'github'],
        },
      ],
    },
  ],
  examples: [
    { run: 'aip redteam -p bot.passport.json', why: 'before it is signed' },
    { run: 'aip redteam -p support-agent-v1', why: 'a passport that this machine knows' },
    { run: 'aip redteam -p bot.passport.json --runs 10000 --format junit > redteam.xml', why: 'in CI' },
    {
      run: "aip redteam -p bot.passport.json --json | jq '[.constraints[].examples[].case]' > cases.json",
      why: 'what got through, as cases',
    },
  ],
  exits: { 3: 'the passport does not exist, or the file holds no passport', 15: 'something got through' },
  touches: ['files', 'state'],
  onlyReads: true,
  topics: ['red-team', 'policy', 'constraints'],

  async run({ options }, cli) {
    const file = options.passport;
    if (file === undefined) {
      throw new Failure('USAGE', 'Nothing says which passport to attack.', {
        hint: 'aip redteam -p bot.passport.json',
      });
    }
    const { json, named } = await draftPassport(file, cli);
    const open = await throwawayVerifiers(cli.workspace);
    const pause = async (): Promise<void> => {
      await new Promise<void>((resolve) => setImmediate(resolve));
      cli.io.interruption.throwIfTold();
    };
    let report: RedteamReport;
    try {
      report = await attackPassport(json, { seed: options.seed, runs: options.runs, named }, open, pause);
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      throw new Failure('UNREADABLE', `${file} cannot be attacked: ${error.reason}.`, {
        hint: `aip passport lint ${file}`,
      });
    }
    for (const { action, accepted, code } of report.honest) {
      if (accepted) continue;
      cli.warn(`No honest intent of "${clean(action)}" was found (${code}): it was not attacked.`, 'no_honest_intent');
    }
    await write(report, file, options.format ?? (cli.globals.json ? 'json' : 'human'), cli);
    return report.through === 0 && report.attacks > 0 ? 0 : 15;
  },
};

const GOT_THROUGH = {
  code: 'GOT_THROUGH',
  meaning: 'An attack of aip redteam on a limit of this passport was accepted.',
  remedy: 'Declare the action as the line says, and keep the case for aip policy test.',
} as const;

const OPEN: GithubWording = {
  word: 'OPEN',
  more: (count) => `${count} more open ${count === 1 ? 'constraint is' : 'constraints are'} not annotated.`,
};

async function write(
  report: RedteamReport,
  file: string,
  format: NonNullable<Options['format']>,
  cli: Cli,
): Promise<void> {
  const told = () => report.constraints.map((each) => asDecision(each, report, repositoryFile(cli.io, file)));
  switch (format) {
    case 'json':
      return cli.json(report);
    case 'junit': {
      const { renderJunit } = await import('../render/formats/junit.js');
      return cli.out(renderJunit(told(), 'aip redteam'));
    }
    case 'sarif': {
      const { renderFindings } = await import('../render/formats/sarif.js');
      return cli.out(renderFindings(told(), GOT_THROUGH));
    }
    case 'github': {
      const { renderGithub } = await import('../render/formats/github.js');
      const { lines } = renderGithub(told(), [], OPEN);
      return lines === '' ? undefined : cli.out(lines);
    }
    case 'human':
      return show(report, cli);
  }
}

function show({ constraints, attacks, stopped, through, seed, agent_id }: RedteamReport, cli: Cli): void {
  const { paint } = cli;
  const sum = `${attacks} attacks on ${clean(agent_id)}, seed ${seed}: ${stopped} stopped, ${through} got through`;
  cli.out(flowed(sum, cli.width));
  const said = new Set<string>();
  const width = Math.max(...constraints.map(({ constraint }) => constraint.length));
  for (const { constraint, attacks: all, stopped: by, through: some, examples } of constraints) {
    const codes = Object.entries(by).map(([code, count]) => `${code} ${count}`);
    const mark = some === 0 ? paint.green('ok  ') : paint.red(paint.bold('OPEN'));
    const counts = `${clean(constraint).padEnd(width)} ${String(all).padStart(6)}`;
    cli.out(flowed(`${mark} ${counts}  ${paint.dim(codes.join(', '))}`, cli.width));
    for (const each of examples) {
      const what = `     ${clean(each.action)}: ${clean(each.kind)}${each.why === null ? '' : `; ${clean(each.why)}`}`;
      cli.out(flowed(what, cli.width));
      if (each.line !== null) {
        const line = clean(JSON.stringify(each.line));
        cli.out(`       ${paint.dim('line')}  ${said.has(line) ? `as above for ${clean(each.action)}` : line}`);
        said.add(line);
      }
      if (each.case !== null) cli.out(`       ${paint.dim('case')}  ${clean(JSON.stringify(each.case))}`);
    }
  }
  if (attacks === 0) cli.out('nothing was shown: no honest intent of it is accepted');
}

/** A constraint in the words of the report formats. */
function asDecision(
  { constraint, attacks, through, examples }: ConstraintReport,
  { agent_id }: RedteamReport,
  file: string,
): Decision {
  const [first] = examples;
  const ok = through === 0;
  const what =
    first === undefined ? '' : `: ${first.action}, ${first.kind}${first.why === null ? '' : ` (${first.why})`}`;
  const details = { agent_id, constraint, attacks, through, line: first?.line ?? null, case: first?.case ?? null };
  return {
    ...{ success: ok, dialect: 'native', agent_id, action: constraint, intent_hash: null },
    error_code: ok ? null : GOT_THROUGH.code,
    error_message: ok ? null : GOT_THROUGH.code,
    message: ok
      ? `${constraint}: ${attacks} attacks stopped`
      : `${through} of ${attacks} attacks on ${constraint} got through${what}`,
    details: ok ? null : details,
    violations: ok ? [] : [{ error_code: GOT_THROUGH.code, error_message: GOT_THROUGH.code, details }],
    ...{ checks: [], revocation: { status: 'unknown', age_ms: null, degraded: false }, warnings: [] },
    ...{ verified_at: '1970-01-01T00:00:00.000Z', source: file, outcome_token: null },
  };
}
