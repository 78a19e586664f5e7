import { resolve } from 'node:path';
import { approvingIntent } from '../../app/signing/approval.js';
import { Failure } from '../../app/failure.js';
import { verifyIntents } from '../../app/verification/intents.js';
import type { KeyAddressText } from '../../protocol/identity/key-address.js';
import { parseJson } from '../../protocol/json/parse.js';
import { isObject, type JsonObject } from '../../protocol/json/values.js';
import { markConfusable } from '../../protocol/naming/confusable.js';
import type { Decision } from '../../verify/decision.js';
import { isRequestId } from '../../protocol/approvals/approval.js';
import { answer, answered } from '../approvals/answer.js';
import { requestIn } from '../approvals/requests.js';
import type { Cli } from '../cli.js';
import { readInput } from '../input/documents.js';
import { ISSUER_KEY_OPTION, issuerPlace } from '../input/key-place.js';
import { PASSPHRASE_OPTIONS, YES_OPTION, type PassphraseFlags } from '../input/options.js';
import { passportFile } from '../passports/file.js';
import { reportDecision } from '../intents/refusal.js';
import { clean, revealed, safeJson } from '../render/terminal/text.js';
import type { CommandSpec } from '../spec.js';
import { verification } from '../intents/verification.js';
import { replaceOutput } from '../../workspace/files.js';
import { keyring } from '../../workspace/keys.js';

interface Options extends PassphraseFlags {
  readonly key?: KeyAddressText;
  readonly passport: readonly string[];
  readonly out?: string;
  readonly yes: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['approve'],
  summary: "Sign a person's approval of an intent or a request",
  detail:
    "Takes the principal's key. An intent that is forged is not approved; of one that is refused for another reason you are told.",
  args: [
    { name: 'intent', description: 'intent or request file (- for stdin), or the id of a request', values: 'request' },
  ],
  options: [
    {
      title: 'Flags',
      options: [
        {
          flags: '-p, --passport <file>',
          description: 'passport of the agent (default: the one known here)',
          repeatable: true,
          values: 'file',
        },
        {
          flags: '-o, --out <file>',
          description: 'write to a file instead of stdout; one that exists is replaced',
          values: 'file',
        },
        YES_OPTION,
        ISSUER_KEY_OPTION,
        ...PASSPHRASE_OPTIONS,
      ],
    },
  ],
  examples: [
    { run: 'aip approve intent.json -o approval.json', why: 'shows what it is, and asks' },
    {
      run: 'aip approve intent.json --yes | aip intent verify intent.json --approval -',
      why: 'on the machine that verifies',
    },
  ],
  exits: {
    3: 'the file does not exist',
    4: "the principal's key is not here, locked or refused",
    5: 'of a request: the mesh or the database of the fleet was not heard, or takes no answer of this key',
    10: 'not approved: who (E1xx)',
    13: "the principal's key is denied",
  },
  touches: ['files', 'state', 'keychain', 'network'],
  topics: ['approvals', 'intents'],

  async run({ args, options }, cli) {
    const file = args[0]!;
    if (isRequestId(file)) return answer(file, 'approve', options, cli);
    const bytes = await readInput(file, cli);
    if (isRequest(bytes))
      return answered(requestIn(bytes, file === '-' ? 'stdin' : file), null, 'approve', options, cli);
    const passports = await Promise.all(options.passport.map((path) => passportFile(path, cli)));
    const { deps, options: judging } = await verification(cli, { dryRun: true, passports, principalKey: [] });
    const [judgement] = await verifyIntents(deps, judging, [{ bytes, source: file }]);
    const { decision, concern } = judgement!;
    // Whose name stands under it is what a person goes by.
    if (concern === 'who') return reportDecision(judgement!, cli);
    foretell(decision, cli);
    show(decision, bytes, cli);
    const { agent_id, intent_hash, action } = decision;
    const sign = await approvingIntent(await keyring(cli.workspace, issuerPlace(options)), {
      agentId: agent_id!,
      intentHash: intent_hash!,
      action: action!,
    });
    // Who can be asked is; a script that names an intent has said what it wants.
    if (!options.yes && cli.ask.allowed && !(await cli.ask.confirm({ message: 'Approve this', flag: '--yes' })))
      throw new Failure('USAGE', 'Nothing was approved.');
    const approval = await sign();
    if (options.out === undefined || options.out === '-')
      cli.out(safeJson(approval, cli.io.stdout.isTTY === true ? 2 : undefined));
    else await replaceOutput(resolve(cli.io.cwd, options.out), `${JSON.stringify(approval, null, 2)}\n`);
    return 0;
  },
};

/** True for what says that it is a request; whether it is one is judged where it is read. */
function isRequest(bytes: Uint8Array): boolean {
  try {
    const json = parseJson(bytes);
    return isObject(json) && json.type === 'approval-request';
  } catch {
    return false;
  }
}

/** An approval lifts E209 and nothing else. */
function foretell({ success, violations }: Decision, cli: Cli): void {
  if (success) cli.warn('No verifier with this state asks for an approval of it.', 'not_needed');
  for (const { error_code, error_message } of violations) {
    if (error_message !== 'APPROVAL_REQUIRED')
      cli.warn(`A verifier would refuse it all the same: ${error_code} ${error_message}.`, error_code);
  }
}

/** What a person says yes to. Parsed anew and only to be shown: that it is well-formed was found out before. */
function show({ agent_id, action, intent_hash }: Decision, bytes: Uint8Array, cli: Cli): void {
  const document = parseJson(bytes, (written) => written) as JsonObject;
  const asked = isObject(document.intent) ? document.intent : document;
  const rows: [string, string][] = [
    ['agent', agent_id!],
    ['action', action!],
    ['target', typeof asked.target === 'string' ? revealed(asked.target) : '-'],
    ['params', safeJson(asked.params ?? asked.parameters ?? {})],
    ['hash', intent_hash!],
  ];
  for (const [label, value] of rows) cli.note(`  ${label.padEnd(8)}${markConfusable(clean(value))}`);
}
