/** What `approvals approve`, `approvals deny` and `approve` do: show, ask, sign, and keep the answer where the request is kept. */
import { resolve } from 'node:path';
import { sendAnswer } from '../../app/mesh/approvals.js';
import { keepAnswer } from '../../app/approvals/keep.js';
import { answering, requireSigned } from '../../app/approvals/answer.js';
import { Failure } from '../../app/failure.js';
import { isRequestId, type ActionApprovalDocument } from '../../protocol/approvals/approval.js';
import type { KeyAddressText } from '../../protocol/identity/key-address.js';
import { readApprovalRequest, type ApprovalRequest } from '../../protocol/approvals/request.js';
import { refuseIrreplaceable, replaceOutput } from '../../workspace/files.js';
import { keyring, pemFiles, type KeyPlaces } from '../../workspace/keys.js';
import { bringRequest, shareAnswer } from '../../workspace/fleet/requests.js';
import { localState } from '../../workspace/state.js';
import type { Surroundings } from '../io.js';
import type { Notices, Output } from '../output.js';
import type { Lifetime } from '../../workspace/workspace.js';
import type { Questioner } from '../questions/ask.js';
import type { Setting } from '../setting.js';
import { ISSUER_KEY_OPTION, issuerPlace } from '../input/key-place.js';
import { PASSPHRASE_OPTIONS, YES_OPTION } from '../input/options.js';
import { durationMs } from '../input/values.js';
import { clean, safeJson } from '../render/terminal/text.js';
import type { CommandSpec, OptionGroup } from '../spec.js';
import { requestRelay } from './relay.js';
import {
  approverLines,
  broughtRequest,
  reportOf,
  requestFound,
  requestBytes,
  requestIn,
  shownRequest,
  stateUrl,
  type FoundRequest,
} from './requests.js';

/** What answering needs: a person to ask, a place for the answer, the keys. */
type Scene = Output & Setting & Questioner & Surroundings & Notices & Lifetime;

type Choice = ActionApprovalDocument['decision'];

export interface AnswerFlags extends KeyPlaces {
  readonly reason?: string;
  /** ms. */
  readonly for?: number;
  readonly as?: string;
  readonly keyFile?: string;
  readonly key?: KeyAddressText;
  readonly out?: string;
  readonly yes?: boolean;
}

const REASON = { flags: '--reason <text>', description: 'why, signed with the answer' };
const FOR = {
  flags: '--for <duration>',
  description: 'how long the approval counts (default 15m, at most what the passport says)',
  value: durationMs,
};

function answerOptions(decision: Choice): readonly OptionGroup[] {
  return [
    {
      title: 'Flags',
      options: [
        REASON,
        ...(decision === 'approve' ? [FOR] : []),
        { flags: '--as <id>', description: 'answer as this approver (default: the first whose key is here)' },
        {
          flags: '--key-file <file>',
          description: "the approver's private key, where no key store has it",
          values: 'file',
        },
        {
          flags: '-o, --out <file>',
          description: 'write the signed answer to a file; one that exists is replaced',
          values: 'file',
        },
        ISSUER_KEY_OPTION,
        YES_OPTION,
        ...PASSPHRASE_OPTIONS,
      ],
    },
  ];
}

/** The command that gives this answer to a request. */
export function answerCommand(
  decision: Choice,
  { summary, examples }: Pick<CommandSpec, 'summary' | 'examples'>,
): CommandSpec<AnswerFlags> {
  return {
    path: ['approvals', decision],
    summary,
    args: [
      {
        name: 'request',
        description: 'id of a request kept here or at the mesh, or its file (- for stdin)',
        values: 'request',
      },
    ],
    options: answerOptions(decision),
    examples,
    exits: {
      3: 'there is no such request',
      5: 'the mesh or the database of the fleet was not heard, or takes no answer of this key',
      4: "no approver's key is here, or it is locked or refused",
    },
    touches: ['files', 'state', 'keychain', 'network'],
    topics: ['approvals'],
    run: ({ args, options }, cli) => answer(args[0]!, decision, options, cli),
  };
}

/** Answers the request with this id, or in this file. */
export async function answer(what: string, decision: Choice, options: AnswerFlags, cli: Scene): Promise<number> {
  if (isRequestId(what)) {
    const found = await requestFound(what, cli);
    return answered(readApprovalRequest(found.record.text), found, decision, options, cli);
  }
  const request = requestIn(await requestBytes(what, cli), what === '-' ? 'stdin' : what);
  return answered(request, null, decision, options, cli);
}

/** `found` is null where the request came in a file: it is kept by another machine. */
export async function answered(
  request: ApprovalRequest,
  found: FoundRequest | null,
  decision: Choice,
  options: AnswerFlags,
  cli: Scene,
): Promise<number> {
  requireSigned(request);
  requireOpen(found);
  const path = options.out === undefined || options.out === '-' ? null : resolve(cli.io.cwd, options.out);
  // An answer that was given cannot be taken back for want of a file.
  if (path !== null) await refuseIrreplaceable(path);
  cli.note(shownRequest(reportOf(found ?? broughtRequest(request), cli.io.now())));
  const sign = await signing(request, decision, options, cli);
  await requireMeant(decision, options, cli);
  const approval = await sign();
  if (found?.source === 'here' || found?.source === 'fleet') await keep(approval, cli);
  else if (found !== null) await send(approval, cli);
  if (path !== null) await replaceOutput(path, `${JSON.stringify(approval, null, 2)}\n`);
  else if (cli.globals.json || found === null || options.out === '-')
    cli.out(safeJson(approval, cli.io.stdout.isTTY === true ? 2 : undefined));
  if (!cli.globals.json) tell(approval, found, cli);
  return 0;
}

function requireOpen(found: FoundRequest | null): void {
  if (found === null || found.record.status === 'open') return;
  const { id, status } = found.record;
  throw new Failure('USAGE', `The request ${id} is ${status}.`, { hint: 'aip approvals list' });
}

/** What signs the answer, once the keys of an approver are at hand. @throws Failure where they are not */
async function signing(
  request: ApprovalRequest,
  decision: Choice,
  options: AnswerFlags,
  cli: Scene,
): Promise<() => Promise<ActionApprovalDocument>> {
  if (options.key !== undefined && options.keyFile !== undefined)
    throw new Failure('USAGE', 'The key is said to be at two places.', { hint: 'give one of --key and --key-file' });
  const seed =
    options.keyFile === undefined ? null : await (await pemFiles(cli.workspace, options)).take(options.keyFile);
  return answering(await keyring(cli.workspace, issuerPlace(options)), request, {
    decision,
    reason: options.reason ?? null,
    forMs: options.for ?? null,
    as: options.as ?? null,
    seed,
  });
}

/** Who can be asked is; a script that names a request has said what it wants. @throws Failure USAGE after a no */
async function requireMeant(decision: Choice, options: AnswerFlags, cli: Scene): Promise<void> {
  if (options.yes === true || !cli.ask.allowed) return;
  const message = decision === 'approve' ? 'Approve exactly this' : 'Deny this';
  if (!(await cli.ask.confirm({ message, flag: '--yes' }))) throw new Failure('USAGE', 'Nothing was answered.');
}

function tell(approval: ActionApprovalDocument, found: FoundRequest | null, cli: Scene): void {
  const by = clean(approval.approver);
  const where = found?.source === 'mesh' ? '; the mesh brings it to the verifier that asked' : '';
  if (approval.decision === 'deny') return cli.note(`denied by ${by}${where}`);
  cli.note(`approved by ${by} until ${approval.approved_until}${where}`);
  cli.note(`next, for the agent: aip intent sign ... --approval-request ${approval.request_id}`);
}

async function keep(approval: ActionApprovalDocument, cli: Scene): Promise<void> {
  const [state, url] = await Promise.all([localState(cli.workspace), stateUrl(cli)]);
  if (state.look((ledger) => ledger.approvalRequest(approval.request_id)) === null)
    await bringRequest(cli.workspace, url, approval.request_id);
  const problem = keepAnswer(state, approval, cli.io.now());
  if (problem !== null)
    throw new Failure('USAGE', `The answer was not kept: ${problem}.`, {
      hint: `aip approvals show ${approval.request_id}`,
    });
  try {
    await shareAnswer(cli.workspace, url, approval);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(error.code, `The answer counts on this machine and not on the others: ${error.message}`, {
      hint: 'give it again when the database answers',
      cause: error,
    });
  }
  // What was denied here needs no look elsewhere.
  if (approval.decision === 'deny') (await requestRelay(cli))?.tell();
}

/** To the mesh, which holds no key of an approver and makes no answer. */
async function send(approval: ActionApprovalDocument, cli: Scene): Promise<void> {
  const lines = await approverLines(cli);
  if (lines === null) throw new Error('a request of a mesh that cannot be answered');
  if (!(await sendAnswer(lines, approval)))
    cli.warn(
      'The mesh knows no key of this principal and could not check the answer; its verifier does (aip mesh principal add).',
      'unchecked',
    );
}
