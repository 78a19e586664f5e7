import { Failure } from '../../../app/failure.js';
import { findPassport, looksLikePath, parsedPassport } from '../../../app/passports/find.js';
import { lintSchemas } from '../../../app/passports/lint/schemas.js';
import { lintDestinations, lintPassport, type LintFinding } from '../../../app/passports/lint/lint.js';
import { standIn } from '../../../app/policy/stand-in.js';
import { jsonOf, ShapeError } from '../../../protocol/json/shape.js';
import { isObject } from '../../../protocol/json/values.js';
import type { Passport, PassportDocument } from '../../../protocol/passport.js';
import type { Cli } from '../../cli.js';
import { documentReader, readInput } from '../../input/documents.js';
import { gather } from '../../input/unread.js';
import type { Paint } from '../../render/terminal/paint.js';
import { clean, flowed } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';
import { expandPattern, fileExists } from '../../../workspace/files.js';
import { VERSION } from '../../version.js';
import { loadSchemaProblem } from '../../../workspace/keys.js';
import { localState } from '../../../workspace/state.js';

type Format = 'human' | 'json' | 'github' | 'sarif' | 'junit';

interface Options {
  readonly format?: Format;
  readonly failOnWarning?: boolean;
}

/** A passport, and the argument or the file that it was found by. */
interface Source {
  readonly source: string;
  readonly document: PassportDocument;
}

export const command: CommandSpec<Options> = {
  path: ['passport', 'lint'],
  summary: 'Warn where a passport permits more than it needs to',
  detail: 'With several passports, or a pattern, --json is an array.',
  args: [
    {
      name: 'agent',
      description: 'agent ids, names of known passports, passport files or patterns of files (- for stdin)',
      variadic: true,
      values: 'agent',
    },
  ],
  options: [
    {
      title: 'For CI',
      options: [
        {
          flags: '--format <format>',
          description: 'how to answer',
          choices: ['human', 'json', 'github', 'sarif', 'junit'],
        },
        { flags: '--fail-on-warning', description: 'exit 15 when there is a warning' },
      ],
    },
  ],
  examples: [
    { run: 'aip passport lint support-agent-v1', why: 'a passport that this machine knows' },
    { run: "aip passport lint 'agents/**/*.passport.json' --fail-on-warning", why: 'as a CI step' },
  ],
  exits: {
    2: 'no file matches a pattern',
    3: 'a passport is not known, or a file does not exist or holds no passport; the others are linted all the same',
    15: 'an error such as a constraint that limits nothing; warnings, with --fail-on-warning',
  },
  touches: ['files', 'state'],
  onlyReads: true,
  topics: ['passports', 'constraints', 'ci'],

  async run({ args, options }, cli) {
    const patterns = await Promise.all(args.map(isPattern));
    const paths: string[] = [];
    for (const [i, arg] of args.entries()) paths.push(...(patterns[i]! ? await matching(arg) : [arg]));
    const { found: sources, unread } = await gather(paths, (path) => sourceOf(path, cli), false, cli);
    const schemaProblem = await loadSchemaProblem();
    const reports = sources.map(({ source, document }) => ({
      agent_id: document.agent_id,
      source,
      warnings: [...lintPassport(document), ...lintSchemas(document, schemaProblem)],
      destinations: lintDestinations(document),
    }));
    const isOne = args.length === 1 && !patterns[0]!;
    const fails = ({ severity }: LintFinding): boolean =>
      severity === 'error' || (severity === 'warning' && options.failOnWarning === true);
    const format = options.format ?? (cli.globals.json ? 'json' : 'human');
    if (format === 'json') cli.json(isOne ? reports[0] : reports);
    else if (format === 'human') for (const report of reports) show(report, isOne, cli);
    else {
      const { lintGithub, lintJunit, lintSarif } = await import('../../render/formats/lint.js');
      const text =
        format === 'github'
          ? lintGithub(reports, unread)
          : format === 'sarif'
            ? lintSarif(reports, VERSION, unread)
            : lintJunit(reports, fails, unread);
      if (text !== '') cli.out(text);
    }
    if (unread.length > 0) return unread[0]!.exitCode;
    return reports.some(({ warnings }) => warnings.some(fails)) ? 15 : 0;
  },
};

/** A file whose name holds `*` is itself, as a shell would hand it over. */
async function isPattern(arg: string): Promise<boolean> {
  return /[*?]/.test(arg) && !(await fileExists(arg));
}

async function matching(pattern: string): Promise<string[]> {
  const paths = await expandPattern(pattern);
  // A step of CI that looked at no file must not pass.
  if (paths.length === 0)
    throw new Failure('USAGE', `No file matches ${pattern}. There is nothing to lint.`, {
      hint: 'aip passport lint <file>',
    });
  return paths;
}

async function fromFile(path: string, cli: Cli): Promise<Source> {
  const bytes = await readInput(path, cli);
  return { source: path, document: (unsignedIn(bytes) ?? parsedPassport(bytes, path)).document };
}

/** A draft that nobody has signed yet, as a passport; null for everything else. */
function unsignedIn(bytes: Uint8Array): Passport | null {
  try {
    const json = jsonOf(bytes);
    return isObject(json) && json['issuer_signature'] === undefined ? standIn(json, false) : null;
  } catch (error) {
    if (error instanceof ShapeError) return null;
    throw error;
  }
}

/** A path is read without opening the state: a CI runner has none. */
async function sourceOf(arg: string, cli: Cli): Promise<Source> {
  if (arg === '' || looksLikePath(arg)) return fromFile(arg, cli);
  const deps = { state: await localState(cli.workspace), readFile: documentReader(cli) };
  return { source: arg, document: (await findPassport(deps, arg)).passport.document };
}

interface Report {
  readonly agent_id: string;
  readonly source: string;
  readonly warnings: readonly LintFinding[];
  readonly destinations: ReturnType<typeof lintDestinations>;
}

function show({ source, warnings, destinations }: Report, isOne: boolean, cli: Cli): void {
  if (!isOne) cli.out(cli.paint.bold(clean(source)));
  for (const finding of warnings) {
    const mark = MARKS[finding.severity](cli.paint)(finding.severity);
    const said = `${mark} ${cli.paint.bold(clean(finding.message))} [${finding.code}]`;
    cli.out(flowed(`${said}\n  ${cli.paint.dim(clean(finding.hint))}`, cli.width));
  }
  const where = isOne ? '' : `${clean(source)}: `;
  if (destinations.read.length > 0) cli.note(clean(`${where}read as destinations: ${destinations.read.join(', ')}`));
  if (destinations.unread.length > 0)
    cli.note(clean(`${where}look like destinations and are not read by name: ${destinations.unread.join(', ')}`));
  const count = (of: LintFinding['severity']): string[] => {
    const found = warnings.filter(({ severity }) => severity === of).length;
    return found === 0 ? [] : [`${found} ${of}${found === 1 ? '' : 's'}`];
  };
  const counts = [...count('error'), ...count('warning'), ...count('note')];
  cli.note(`${where}${counts.length === 0 ? `${cli.paintErr.green('ok')} nothing to warn of` : counts.join(', ')}`);
}

const MARKS = {
  error: ({ red }: Paint) => red,
  warning: ({ yellow }: Paint) => yellow,
  note: ({ cyan }: Paint) => cyan,
} as const;
