import { reportOutcome } from '../../app/outcomes/report.js';
import { localState } from '../../workspace/state.js';
import type { Decision } from '../../verify/decision.js';
import { Failure, shellWord } from '../../app/failure.js';
import { findPassport } from '../../app/passports/find.js';
import { openKey } from '../../app/keys/keyring.js';
import { signIntent } from '../../app/signing/intent.js';
import { verifyIntents, type Submission } from '../../app/verification/intents.js';
import type { Judgement } from '../../verify/judge.js';
import {
  APPROVAL_OPTION,
  approvalsIn,
  documentIn,
  explainUnapproved,
  withNamedRequest,
  type ApprovalFlags,
} from '../intents/approvals.js';
import type { Cli } from '../cli.js';
import { bindArguments, placeholderAsProgram } from '../intents/bind-arguments.js';
import { intentFile, warnBefore } from '../intents/child.js';
import { commandEnvironment } from '../../app/ports/secrets.js';
import { documentReader, readForVerification } from '../input/documents.js';
import { widthOf } from '../io.js';
import { GEO_OPTION, PASSPHRASE_OPTIONS } from '../input/options.js';
import { SIGNING_KEY_OPTIONS, type KeyPlaceFlags } from '../input/key-place.js';
import { passportFile } from '../passports/file.js';
import { RESOLVE_OPTIONS, type ResolveFlags } from '../passports/pins.js';
import { exitOf } from '../intents/refusal.js';
import { renderDecision } from '../render/decision/decision.js';
import { safeJson } from '../render/terminal/text.js';
import {
  APPROVAL_REQUEST_OPTION,
  REQUEST_OPTIONS,
  requestOf,
  keyPlaceNamed,
  type ApprovalRequestFlags,
  type RequestFlags,
} from '../intents/signing.js';
import type { CommandSpec } from '../spec.js';
import { verification, type VerificationFlags } from '../intents/verification.js';
import { keyring } from '../../workspace/keys.js';
import { foreground, type Ended } from '../../workspace/programs.js';

interface Options extends RequestFlags, KeyPlaceFlags, ResolveFlags, ApprovalFlags, ApprovalRequestFlags {
  readonly passport?: string;
  readonly intent?: string;
  readonly geo?: string;
  readonly strict?: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['exec'],
  summary: 'Run a command only if the agent may do what it stands for',
  detail:
    'An argument {name} or --flag={name} becomes the verified param; the command also finds AIP_PARAM_<NAME>, AIP_INTENT_FILE, AIP_INTENT_HASH and AIP_AGENT_ID in its environment. Its exit code is passed on; what aip has to say goes to stderr.',
  args: [
    {
      name: 'command',
      description: 'the command and its arguments',
      variadic: true,
      afterDashes: true,
      values: 'file',
    },
  ],
  options: [
    {
      title: 'What it stands for',
      options: [
        {
          flags: '-p, --passport <agent>',
          description: 'passport file (- for stdin), agent id, or name of a known passport',
          values: 'agent',
        },
        ...REQUEST_OPTIONS,
        {
          flags: '--intent <file>',
          description: 'verify this signed intent instead of signing one (- for stdin); it must be for --action',
          values: 'file',
        },
      ],
    },
    {
      title: 'How',
      options: [
        {
          flags: '--strict',
          description: 'refuse where it would warn: unbound_arguments, unknown_placeholder, principal_key_here',
        },
        GEO_OPTION,
        APPROVAL_OPTION,
        APPROVAL_REQUEST_OPTION,
        ...RESOLVE_OPTIONS,
        ...SIGNING_KEY_OPTIONS,
        ...PASSPHRASE_OPTIONS,
      ],
    },
  ],
  examples: [
    {
      run: "aip exec -p support-agent-v1 -a issue_refund --param amount:=50 -- ./refund.sh 8472 '{amount}'",
      why: 'sign, verify, and run with what was verified',
    },
    {
      run: "aip exec --intent intent.json -a deploy -- ./deploy.sh --env='{env}'",
      why: 'an intent that was signed elsewhere',
    },
  ],
  exits: {
    3: 'the passport, a file or the command does not exist',
    4: 'the key store is missing, locked or refuses',
    5: '--resolve could not fetch',
    10: 'refused: who (E1xx)',
    11: 'refused: when (E3xx)',
    12: 'refused: what (E2xx)',
    13: 'refused: standing (E4xx)',
    14: 'refused: approval needed, or a hook said no',
  },
  touches: ['files', 'state', 'keychain', 'network', 'processes'],
  topics: ['verification', 'exit-codes', 'keys'],

  async run({ args: command, options }, cli) {
    const name = command[0]!;
    const run = await foreground(cli.workspace, onTerminal(cli));
    const file = run.find(name);
    if (file === null) {
      const placeholder = placeholderAsProgram(name);
      if (placeholder !== null) throw placeholder;
      throw new Failure('NOT_FOUND', `There is no command ${name.slice(0, 200)} to run. Nothing was signed or spent.`, {
        hint:
          cli.io.platform === 'win32'
            ? 'name an .exe; a script is run by what reads it: node <script>'
            : 'aip exec --help',
      });
    }
    const { submission, flags } = options.intent === undefined ? await signed(options, cli) : await given(options, cli);
    // Of the bytes that are judged below, so that what is bound is what was verified.
    const document = documentIn(submission.bytes);
    const bound = bindArguments(command, document?.params ?? {});
    await warnBefore(bound, options, cli);
    const approvals = await approvalsIn(options, cli);
    const { deps, options: judging } = await verification(cli, { ...flags, approvals });
    const [judgement] = await verifyIntents(deps, judging, [submission]);
    tell(judgement!, cli);
    explainUnapproved(cli, approvals, deps, { decision: judgement!.decision, submission, alone: true });
    const { ticks } = cli.workspace.world;
    const { success, intent_hash, agent_id, action } = judgement!.decision;
    if (!success) return exitOf(judgement!);
    // A document of another dialect tells its action only now.
    if (options.action !== undefined && action !== options.action) {
      throw wrongAction(options, action, 'The intent is spent; nothing was run.');
    }

    const env = {
      ...commandEnvironment(cli.io.env),
      ...bound.variables,
      AIP_INTENT_HASH: intent_hash!,
      AIP_AGENT_ID: agent_id!,
      AIP_INTENT_FILE: intentFile(document!.text, cli),
    };
    // Who pressed Ctrl-C while it was judged does not want it run; opening a key and judging hear of no signal.
    await signalsHeard();
    cli.io.interruption.throwIfTold();
    const running = run.start(file, bound.args.slice(1), env);
    cli.onInterrupt(({ exitCode }) => {
      running.signal(exitCode === 130 ? 'SIGINT' : 'SIGTERM');
      // Its own end decides the exit code.
      return new Promise(() => undefined);
    });
    const started = ticks();
    const ended = await running.ended;
    await tellOutcome(judgement!.decision, ended, Math.round((ticks() - started) / 1000), cli);
    if (ended.kind === 'exited') return ended.code;
    if (ended.kind === 'killed') return 128 + ended.number;
    throw new Failure(
      'UNREADABLE',
      `${file} could not be started (${ended.reason}). The intent was accepted and is spent.`,
      {
        hint: `ls -l ${shellWord(file)}`,
      },
    );
  },
};

/** The second turn of the loop comes behind its look at what signals have come. */
async function signalsHeard(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Records how the command ended. The command has run: a state that cannot be written then is said, and changes nothing of its exit code. */
async function tellOutcome(decision: Decision, ended: Ended, durationMs: number, cli: Cli): Promise<void> {
  const { intent_hash: intentHash, outcome_token: token } = decision;
  if (intentHash === null || token === null) return;
  const exitCode = ended.kind === 'exited' ? ended.code : ended.kind === 'killed' ? 128 + ended.number : null;
  const detail = ended.kind === 'exited' ? null : ended.kind === 'killed' ? `signal ${ended.number}` : 'not started';
  const status = exitCode === 0 ? 'ok' : 'error';
  try {
    const state = await localState(cli.workspace);
    reportOutcome(state, { intentHash, status, token, exitCode, durationMs, detail }, cli.io.now());
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    cli.warn(`How the command ended is not in the log: ${error.message}`, 'outcome_unrecorded');
  }
}

/** True when the program would share this terminal, which sends Ctrl-C to it by itself. */
function onTerminal({ io }: Cli): boolean {
  return [io.stdin, io.stdout, io.stderr].some((stream) => stream.isTTY === true);
}

interface Prepared {
  readonly submission: Submission;
  readonly flags: VerificationFlags;
}

/** An intent signed here and now. */
async function signed(options: Options, cli: Cli): Promise<Prepared> {
  if (options.passport === undefined)
    throw new Failure('USAGE', 'Whose intent is it?', { hint: 'name the agent with --passport <agent>' });
  const request = await requestOf(undefined, options, cli);
  const ring = await keyring(cli.workspace, options);
  const { passport } = await findPassport({ state: ring.state, readFile: documentReader(cli) }, options.passport);
  const { keyId, key } = passport.currentKey;
  const held = await openKey(ring, keyId, key.publicKey, keyPlaceNamed(options, ring.state.key(keyId) !== null, cli));
  const timestamp = Math.floor(cli.io.now() / 1000);
  const { approvalRequest } = options;
  const intent = await signIntent(passport, held, {
    ...request,
    timestamp,
    nonce: cli.workspace.world.random(16),
    ...(approvalRequest === undefined ? {} : { approvalRequest }),
  });
  return {
    submission: { bytes: Buffer.from(JSON.stringify(intent)), source: null },
    flags: { ...judging(options), passports: [passport] },
  };
}

/** An intent signed elsewhere. What it asks for must be what the caller is about to run. */
async function given(options: Options, cli: Cli): Promise<Prepared> {
  const unused = [
    ...(options.param.length > 0 ? ['--param'] : []),
    ...(options.params === undefined ? [] : ['--params']),
    ...(options.target === undefined ? [] : ['--target']),
  ];
  if (unused.length > 0) {
    throw new Failure('USAGE', `${unused.join(' and ')} would change an intent that is signed already.`, {
      hint: 'leave it out, or sign here without --intent',
    });
  }
  // An accepted intent says yes to one action; without its name any command would run on any yes.
  if (options.action === undefined)
    throw new Failure('USAGE', 'Which action does the command carry out?', { hint: 'name it with --action <name>' });
  const source = options.intent!;
  const { approvalRequest } = options;
  const bytes = await readForVerification(source, cli);
  const action = documentIn(bytes)?.action ?? null;
  if (action !== null && action !== options.action) {
    throw wrongAction(options, action, 'Nothing was spent or run.');
  }
  const passports = options.passport === undefined ? [] : [await passportFile(options.passport, cli)];
  const submission = withNamedRequest({ bytes, source }, approvalRequest);
  return { submission, flags: { ...judging(options), passports } };
}

function wrongAction({ intent, action }: Options, found: string | null, state: string): Failure {
  return new Failure('USAGE', `${intent ?? 'The intent'} asks for "${found}", not for "${action}". ${state}`, {
    hint: intent === undefined ? 'aip exec --help' : `aip intent inspect ${intent}`,
  });
}

function judging({ principalKey, resolve, geo }: Options): Omit<VerificationFlags, 'passports'> {
  return {
    principalKey,
    ...(resolve === undefined ? {} : { resolve }),
    ...(geo === undefined ? {} : { geo }),
  };
}

/** Stdout belongs to the command. The token of the decision is this command's own. */
function tell({ decision }: Judgement, cli: Cli): void {
  const { stderr } = cli.io;
  if (cli.globals.json) stderr.write(`${safeJson({ ...decision, outcome_token: null })}\n`);
  else if (!decision.success || !cli.globals.quiet) {
    const look = { paint: cli.paintErr, width: widthOf(stderr) ?? 100, verbose: cli.globals.verbose };
    stderr.write(`${renderDecision(decision, look)}\n`);
  }
}
