import { Failure } from '../../../app/failure.js';
import { verifyIntents, type Submission } from '../../../app/verification/intents.js';
import { countsAhead } from '../../../app/verification/verifier.js';
import type { Judgement } from '../../../verify/judge.js';
import {
  APPROVAL_OPTION,
  approvalsIn,
  explainUnapproved,
  withNamedRequest,
  type ApprovalFlags,
} from '../../intents/approvals.js';
import type { Cli } from '../../cli.js';
import { ENVELOPE_OPTIONS, envelopeTrust, type EnvelopeFlags } from '../../aip1/envelope-flags.js';
import { gather, type Gathered } from '../../input/unread.js';
import { readForVerification } from '../../input/documents.js';
import { printVerified, withAcceptedParams } from '../../intents/accepted.js';
import { passportFile } from '../../passports/file.js';
import { RESOLVE_OPTIONS, type ResolveFlags } from '../../passports/pins.js';
import { DEMAND_OPTIONS, demandsOf, type DemandFlags } from '../../intents/demands.js';
import { exitOf } from '../../intents/refusal.js';
import { resultWriter, type Format } from '../../intents/results.js';
import { APPROVAL_REQUEST_OPTION, type ApprovalRequestFlags } from '../../intents/signing.js';
import type { CommandSpec } from '../../spec.js';
import { GEO_OPTION } from '../../input/options.js';
import { durationMs, integer, momentOf } from '../../input/values.js';
import { verification, type VerificationFlags } from '../../intents/verification.js';
import { signatureWorkers } from '../../../workspace/programs.js';

interface Options extends ResolveFlags, EnvelopeFlags, ApprovalFlags, ApprovalRequestFlags, DemandFlags {
  readonly passport: readonly string[];
  readonly maxAge?: number;
  readonly at?: string;
  readonly dryRun?: boolean;
  readonly allowFuture?: boolean;
  readonly geo?: string;
  readonly ndjson?: boolean;
  readonly format?: Format;
  readonly failFast?: boolean;
  readonly params?: boolean;
  readonly printVerified?: boolean;
  readonly jobs: number;
}

export const command: CommandSpec<Options> = {
  path: ['intent', 'verify'],
  summary: 'Decide whether an agent may do what it signed, before it does',
  detail: 'An accepted intent is spent and logged before the answer is given, so that it can never be accepted twice.',
  args: [
    {
      name: 'file',
      description: 'intent files, patterns, or - for stdin',
      variadic: true,
      required: false,
      values: 'file',
    },
  ],
  options: [
    {
      title: 'Whom to trust',
      options: [
        {
          flags: '-p, --passport <file>',
          description: 'passport of an agent (default: those known here)',
          repeatable: true,
          values: 'file',
        },
        ...RESOLVE_OPTIONS,
        ...DEMAND_OPTIONS,
      ],
    },
    {
      title: 'How to judge',
      options: [
        {
          flags: '--max-age <duration>',
          description: 'oldest intent taken (default 300s; an envelope says it)',
          value: durationMs,
        },
        { flags: '--at <time>', description: 'judge freshness, expiry and windows as of this time' },
        {
          flags: '--allow-future',
          description: 'let --at be ahead of now, and be counted',
        },
        GEO_OPTION,
        APPROVAL_OPTION,
        APPROVAL_REQUEST_OPTION,
        { flags: '--dry-run', description: 'judge, and spend, count and log nothing' },
      ],
    },
    ENVELOPE_OPTIONS,
    {
      title: 'Many, and how to answer',
      options: [
        { flags: '--ndjson', description: 'a line in, a line out, for streams of any length' },
        {
          flags: '--format <format>',
          description: 'how to answer',
          choices: ['human', 'json', 'ndjson', 'github', 'sarif', 'junit'],
        },
        { flags: '--params', description: 'give the verified params with each JSON decision' },
        { flags: '--print-verified', description: 'print the accepted documents, and nothing else' },
        { flags: '--fail-fast', description: 'stop at the first refusal' },
        {
          flags: '--jobs <n>',
          description: 'cores for the signatures of --ndjson',
          value: integer(1, 64),
          default: 2,
        },
      ],
    },
  ],
  examples: [
    {
      run: 'doc=$(aip intent verify intent.json --print-verified) && ./issue-refund.sh <<<"$doc"',
      why: 'run on what was judged',
    },
    { run: "aip intent verify 'outbox/*.json' --format github", why: 'as a CI step' },
    { run: 'tail -f intents.ndjson | aip intent verify - --ndjson', why: 'a stream' },
  ],
  exits: {
    3: 'a file does not exist or cannot be read; of several, the others are judged all the same',
    5: '--resolve could not fetch',
    10: 'refused: who (E1xx)',
    11: 'refused: when (E3xx; AIP-1: E101 E102 E105)',
    12: 'refused: what (E2xx)',
    13: 'refused: standing (E4xx)',
    14: 'refused: approval needed, or a hook said no',
  },
  touches: ['files', 'state', 'network'],
  topics: ['verification', 'aip-1', 'exit-codes', 'ci', 'json'],

  async run({ args, options }, cli) {
    if (args.length === 0) throw nothing('No intent was named.');
    const passports = await Promise.all(options.passport.map((path) => passportFile(path, cli)));
    const approvals = await approvalsIn(options, cli);
    const { deps, options: judging } = await verification(cli, {
      ...flagsOf(options, cli),
      approvals,
      envelopes: await envelopeTrust(cli, options),
      passports,
      parallel: options.ndjson === true && options.jobs > 1,
      live: options.ndjson === true,
    });
    const format = formatOf(options, cli);
    requireMeaning(options, format, cli);
    if (options.ndjson === true) {
      requested([], options);
      const { verifyStream } = await import('../../intents/stream.js');
      const workers =
        options.jobs > 1 ? { signatureWorkers: await signatureWorkers(cli.workspace, options.jobs - 1) } : {};
      return verifyStream(cli, {
        deps: { ...deps, ...workers },
        options: judging,
        sources: args,
        failFast: options.failFast === true,
        format,
        params: options.params === true,
        onJudged: (decision, submission) =>
          explainUnapproved(cli, approvals, deps, { decision, submission, alone: false }),
      });
    }
    // To stop at the first, and to hand the documents on, takes all of them.
    const isWhole = options.failFast === true || options.printVerified === true;
    const { found, unread } = await submissionsOf(args, isWhole, cli);
    const submissions = requested(found, options);
    const results = await resultWriter(cli, format, submissions.length + unread.length > 1);
    const judgements: Judgement[] = [];
    if (options.failFast !== true) judgements.push(...(await verifyIntents(deps, judging, submissions)));
    else {
      for (const submission of submissions) {
        judgements.push(...(await verifyIntents(deps, judging, [submission])));
        if (!judgements.at(-1)!.decision.success) break;
      }
    }
    if (options.printVerified === true) printVerified(judgements, submissions, cli);
    else
      results.finish(
        options.params === true ? judgements.map((one, i) => withAcceptedParams(one, submissions[i]!)) : judgements,
        unread,
      );
    const alone = submissions.length === 1;
    for (const [i, { decision }] of judgements.entries())
      explainUnapproved(cli, approvals, deps, { decision, submission: submissions[i]!, alone });
    if (options.dryRun !== true && (await cli.config()).get('log.retention') !== null)
      await (await import('../../logs/retention.js')).letGo(cli);
    const first = judgements.findIndex(({ decision }) => !decision.success);
    const [missing] = unread;
    if (missing !== undefined && (first === -1 || missing.at <= first)) return missing.exitCode;
    return first === -1 ? 0 : exitOf(judgements[first]!);
  },
};

/** One approval is for one document. */
function requested(submissions: readonly Submission[], { approvalRequest }: Options): readonly Submission[] {
  if (approvalRequest === undefined) return submissions;
  if (submissions.length !== 1)
    throw new Failure('USAGE', '--approval-request goes with one document.', {
      hint: 'verify it by itself, or have native intents signed with --approval-request',
    });
  return [withNamedRequest(submissions[0]!, approvalRequest)];
}

function flagsOf(options: Options, cli: Cli): Omit<VerificationFlags, 'passports'> {
  const { principalKey, resolve, dryRun, geo, at, maxAge } = options;
  const ahead = at !== undefined && countsAhead(momentOf(at, cli.io.now()), dryRun === true, cli.io.now());
  if (ahead && options.allowFuture !== true) {
    throw new Failure('USAGE', `--at ${at} is ahead of now, and what is verified would be counted then.`, {
      hint: 'add --dry-run to try it, or --allow-future to count it all the same',
    });
  }
  const demands = demandsOf(options);
  return {
    ...(demands === undefined ? {} : { demands }),
    principalKey,
    ...(resolve === undefined ? {} : { resolve }),
    ...(dryRun === undefined ? {} : { dryRun }),
    ...(geo === undefined ? {} : { geo }),
    ...(at === undefined ? {} : { at: momentOf(at, cli.io.now()) }),
    ...(maxAge === undefined ? {} : { maxAge }),
  };
}

function formatOf({ format, ndjson }: Options, cli: Cli): Format {
  if (format !== undefined) return ndjson === true && format === 'json' ? 'ndjson' : format;
  if (ndjson === true) return 'ndjson';
  return cli.globals.json ? 'json' : 'human';
}

/** Flags that ask for the verified document say one thing only, so that a consumer never reads anything else in its place. */
function requireMeaning(
  { params, printVerified, ndjson, format: named, dryRun }: Options,
  format: Format,
  cli: Cli,
): void {
  if (printVerified === true) {
    const other = ndjson === true ? '--ndjson' : named !== undefined ? '--format' : cli.globals.json ? '--json' : null;
    const also = other ?? (dryRun === true ? '--dry-run' : params === true ? '--params' : null);
    if (also !== null)
      throw new Failure(
        'USAGE',
        `--print-verified prints accepted documents and nothing else; it does not go with ${also}.`,
        {
          hint: `leave ${also} out`,
        },
      );
  }
  if (params === true && format !== 'json' && format !== 'ndjson')
    throw new Failure('USAGE', `--params is for JSON decisions, not for the format ${format}.`, { hint: 'add --json' });
}

/** The documents behind the arguments. A pattern that matches nothing is nothing to verify, and that is never a yes. */
async function submissionsOf(args: readonly string[], isWhole: boolean, cli: Cli): Promise<Gathered<Submission>> {
  const paths: string[] = [];
  for (const arg of args) {
    if (arg === '-' || !/[*?]/.test(arg)) {
      paths.push(arg);
      continue;
    }
    const { expandPattern, fileExists } = await import('../../../workspace/files.js');
    const found = (await fileExists(arg)) ? [arg] : await expandPattern(arg);
    if (found.length === 0) throw nothing(`No file matches ${arg}.`);
    paths.push(...found);
  }
  const read = async (source: string): Promise<Submission> => {
    const bytes = await readForVerification(source, cli);
    if (source === '-' && bytes.length === 0) throw nothing('Stdin is empty.');
    return { bytes, source };
  };
  return gather(paths, read, isWhole, cli);
}

function nothing(message: string): Failure {
  return new Failure('USAGE', `${message} There is nothing to verify.`, { hint: 'aip intent verify <file>' });
}
