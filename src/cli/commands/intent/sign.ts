import { resolve } from 'node:path';
import { Failure } from '../../../app/failure.js';
import { findPassport } from '../../../app/passports/find.js';
import { openKey } from '../../../app/keys/keyring.js';
import { signEnvelope } from '../../../app/signing/envelope.js';
import { signIntent } from '../../../app/signing/intent.js';
import type { Tier } from '../../../protocol/aip1/envelope.js';
import type { ValueObject } from '../../../protocol/aip1/encoding/numbers.js';
import type { IntentDocument } from '../../../protocol/intent.js';
import type { Passport } from '../../../protocol/passport.js';
import type { Decision } from '../../../verify/decision.js';
import type { Cli } from '../../cli.js';
import { GEO_OPTION, PASSPHRASE_OPTIONS } from '../../input/options.js';
import { SIGNING_KEY_OPTIONS, type KeyPlaceFlags } from '../../input/key-place.js';
import { preview } from '../../intents/preview.js';
import {
  APPROVAL_REQUEST_OPTION,
  REQUEST_OPTIONS,
  requestOf,
  keyPlaceNamed,
  type ApprovalRequestFlags,
  type RequestFlags,
} from '../../intents/signing.js';
import { refusalsOf } from '../../render/decision/facts.js';
import { safeJson } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';
import { durationMs, integer } from '../../input/values.js';
import { documentReader } from '../../input/documents.js';
import { replaceOutput } from '../../../workspace/files.js';
import { keyring } from '../../../workspace/keys.js';
import { localState } from '../../../workspace/state.js';

interface Options extends RequestFlags, KeyPlaceFlags, ApprovalRequestFlags {
  readonly passport: string;
  readonly timestamp?: number;
  readonly dialect: 'native' | 'aip-1';
  readonly tier?: string;
  /** ms. */
  readonly ttl?: number;
  readonly check?: boolean;
  readonly geo?: string;
  readonly out?: string;
}

export const command: CommandSpec<Options> = {
  path: ['intent', 'sign'],
  summary: 'Sign what an agent intends to do',
  detail:
    'Warns, naming the code, when a verifier would refuse the intent; a passport cannot stop its agent from signing.',
  args: [
    { name: 'file', description: 'JSON with action, params and target (- for stdin)', required: false, values: 'file' },
  ],
  options: [
    {
      title: 'What',
      options: [
        {
          flags: '-p, --passport <agent>',
          description: 'passport file (- for stdin), agent id, or name of a known passport',
          values: 'agent',
        },
        ...REQUEST_OPTIONS,
        APPROVAL_REQUEST_OPTION,
        {
          flags: '--timestamp <seconds>',
          description: 'Unix seconds (default: now)',
          value: integer(0, 99_999_999_999),
        },
      ],
    },
    {
      title: 'For whom',
      options: [
        {
          flags: '--dialect <dialect>',
          description: 'aip-1 for verifiers of the Python package aip-protocol',
          choices: ['native', 'aip-1'],
          default: 'native',
        },
        {
          flags: '--tier <tier>',
          description: 'verification tier of an aip-1 envelope (default 1)',
          choices: ['0', '1', '2'],
        },
        {
          flags: '--ttl <duration>',
          description: 'how long an aip-1 envelope is in force (default 300s)',
          value: durationMs,
        },
      ],
    },
    {
      title: 'How',
      options: [
        { flags: '--check', description: 'sign nothing that a verifier would refuse' },
        { ...GEO_OPTION, description: 'country that the verifier will be given, for geo_restriction' },
        {
          flags: '-o, --out <file>',
          description: 'write to a file instead of stdout; one that exists is replaced',
          values: 'file',
        },
        ...SIGNING_KEY_OPTIONS,
        ...PASSPHRASE_OPTIONS,
      ],
    },
  ],
  examples: [
    {
      run: 'aip intent sign -p support-agent-v1 -a issue_refund --param order_id=8472 --param amount:=50',
      why: 'by hand',
    },
    {
      run: 'aip intent sign -p support-agent-v1 -a issue_refund --param amount:=50 --dialect aip-1 | curl -d @- $URL',
      why: 'for a Python verifier',
    },
    { run: 'aip intent sign request.json -p support-agent-v1 --check -o intent.json', why: 'in a script' },
  ],
  exits: {
    3: 'the passport or a file does not exist',
    4: 'the key store is missing, locked or refuses',
    10: 'with --check: refused, as `aip intent verify` would (also 11 to 14)',
  },
  touches: ['files', 'state', 'keychain'],
  topics: ['intents', 'keys'],

  async run({ args, options }, cli) {
    if (options.passport === undefined)
      throw new Failure('USAGE', 'Whose intent is it?', { hint: 'name the agent with --passport <file>' });
    const ring = await keyring(cli.workspace, options);
    const { passport } = await findPassport({ state: ring.state, readFile: documentReader(cli) }, options.passport);
    const request = await requestOf(args[0], options, cli);
    if (options.dialect === 'native' && (options.tier ?? options.ttl) !== undefined)
      throw new Failure('USAGE', 'Native intents have neither tier nor ttl.', { hint: '--dialect aip-1' });
    if (options.dialect === 'aip-1' && options.approvalRequest !== undefined)
      throw new Failure('USAGE', 'An envelope carries no request for approval; it is given beside it.', {
        hint: `aip intent verify <file> --approval-request ${options.approvalRequest}`,
      });
    const { keyId, key } = passport.currentKey;
    const held = await openKey(ring, keyId, key.publicKey, keyPlaceNamed(options, ring.state.key(keyId) !== null, cli));
    const now = cli.io.now();
    const given = {
      ...request,
      timestamp: options.timestamp ?? Math.floor(now / 1000),
      nonce: cli.workspace.world.random(16),
      ...(options.approvalRequest === undefined ? {} : { approvalRequest: options.approvalRequest }),
    };
    const intent =
      options.dialect === 'aip-1'
        ? await signEnvelope(passport, held, { ...given, ...termsOf(options) })
        : await signIntent(passport, held, given);
    const refused = await foreseen(passport, intent, options, cli);
    if (refused !== null) return refused;
    if (options.out === undefined || options.out === '-')
      cli.out(safeJson(intent, cli.io.stdout.isTTY === true ? 2 : undefined));
    else await replaceOutput(resolve(cli.io.cwd, options.out), `${JSON.stringify(intent)}\n`);
    return 0;
  },
};

function termsOf({ tier = '1', ttl = 300_000 }: Options): { tier: Tier; ttl: number } {
  const seconds = ttl / 1000;
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > 86_400)
    throw new Failure('USAGE', 'An envelope is in force for 1 to 86400 whole seconds.', { hint: '--ttl 300s' });
  return { tier: Number(tier) as Tier, ttl: seconds };
}

/** Says what a verifier would answer; with `--check` its refusal is ours. */
async function foreseen(
  passport: Passport,
  intent: IntentDocument | ValueObject,
  options: Options,
  cli: Cli,
): Promise<number | null> {
  const judgement = await preview(cli, passport, intent, options);
  const { decision } = judgement;
  if (decision.success) return null;
  if (await isKnownElsewhere(options.approvalRequest, decision, cli)) {
    cli.note('Whether the request is approved is known where the intent is verified.');
    return null;
  }
  if (options.check !== true) {
    cli.warn(
      `a verifier would refuse this: ${decision.error_code} ${decision.error_message}. ${decision.message}`,
      decision.error_code!,
    );
    return null;
  }
  const { reportDecision: report } = await import('../../intents/refusal.js');
  return report(judgement, cli);
}

/** True where nothing but an approval is missing, and the request for it was raised by another verifier. */
async function isKnownElsewhere(request: string | undefined, decision: Decision, cli: Cli): Promise<boolean> {
  if (request === undefined || refusalsOf(decision).some((each) => each.error_message !== 'APPROVAL_REQUIRED'))
    return false;
  return (await localState(cli.workspace)).look((ledger) => ledger.approvalRequest(request)) === null;
}
