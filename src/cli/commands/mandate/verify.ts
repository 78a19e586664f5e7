import { judgeMandateFile, type MandateReport } from '../../../app/passports/mandates.js';
import { EXIT_OF_CONCERN } from '../../../protocol/codes.js';
import { plainJson } from '../../../protocol/aip1/encoding/numbers.js';
import { formatTime } from '../../../protocol/time.js';
import type { PinnedKey } from '../../../verify/context.js';
import type { Cli } from '../../cli.js';
import { readInput } from '../../input/documents.js';
import { principalPins, RESOLVE_OPTIONS, type ResolveFlags } from '../../passports/pins.js';
import { publicKeyFrom } from '../../input/public-key.js';
import { clean, safeJson } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';
import { localState } from '../../../workspace/state.js';
import { momentOf } from '../../input/values.js';

interface Options extends ResolveFlags {
  readonly issuerKey?: string;
  readonly agent?: string;
  readonly at?: string;
}

export const command: CommandSpec<Options> = {
  path: ['mandate', 'verify'],
  summary: 'Check who granted a mandate, to whom, and whether it is in force',
  args: [{ name: 'file', description: 'mandate file (- for stdin)', values: 'file' }],
  options: [
    {
      title: 'Whom to trust',
      options: [
        { flags: '--issuer-key <key>', description: 'key the mandate is signed with (default: the pinned principal)' },
        ...RESOLVE_OPTIONS,
      ],
    },
    {
      title: 'How to judge',
      options: [
        { flags: '--agent <id>', description: 'for whom it is presented (default: whom it names)', values: 'agent' },
        { flags: '--at <time>', description: 'judge as of this time' },
      ],
    },
  ],
  examples: [
    { run: 'aip mandate verify support.mandate.json', why: 'against the principals pinned here' },
    { run: 'aip mandate verify m.json --issuer-key ed25519:<hex>', why: 'against a key in hand' },
  ],
  exits: {
    3: 'a file does not exist or cannot be read',
    5: '--resolve could not fetch',
    13: 'refused: AIP-E400 (its key is denied), AIP-E406, AIP-E407 or AIP-E408',
  },
  touches: ['files', 'state', 'network'],
  onlyReads: true,
  topics: ['aip-1'],

  async run({ args, options }, cli) {
    const bytes = await readInput(args[0]!, cli);
    const key =
      options.issuerKey === undefined ? null : await publicKeyFrom(options.issuerKey, 'The --issuer-key', cli);
    const now = options.at === undefined ? cli.io.now() : momentOf(options.at, cli.io.now());
    const maxSkewMs = (await cli.config()).get('verify.max_skew');
    const state = await localState(cli.workspace);
    const facts = {
      standing: (subject: string) => state.standing(subject),
      standingNow: state.standingNow(cli.io.now()),
    };
    const judge = (pins: (principal: string) => readonly PinnedKey[]) =>
      judgeMandateFile(bytes, options.agent ?? null, key, { pins, maxSkewMs, now }, facts);
    // Who the issuer is has to be read before its key can be looked up, which may need the network.
    const { issuer } = judge(() => []);
    const found = issuer === null ? [] : await (await principalPins(cli, options))(issuer);
    const report = judge((principal) => (principal === issuer ? found : []));
    const [first] = report.verdict.status === 'failed' ? report.verdict.violations : [];
    if (cli.globals.json) cli.json(answerOf(report));
    else show(report, cli);
    return first === undefined ? 0 : EXIT_OF_CONCERN[first.entry.concern];
  },
};

function answerOf({ valid, mandate_id, issuer, subject, boundaries, expiresAt, verdict }: MandateReport) {
  const [first] = verdict.status === 'failed' ? verdict.violations : [];
  return {
    valid,
    mandate_id,
    issuer,
    subject,
    expires_at: expiresAt === null ? null : formatTime(expiresAt),
    boundaries: boundaries === null ? null : plainJson(boundaries),
    error_code: first?.entry.code ?? null,
    error_message: first?.entry.name ?? null,
    message: first?.message ?? null,
    details: first?.details ?? null,
  };
}

function show({ mandate_id, issuer, subject, boundaries, expiresAt, verdict }: MandateReport, cli: Cli): void {
  const { paint } = cli;
  if (verdict.status === 'failed') {
    for (const { entry, message } of verdict.violations)
      cli.out(`${paint.red(`REFUSED ${entry.code} ${entry.name}`)}\n  ${clean(message)}`);
    cli.out(`  next: aip explain ${verdict.violations[0].entry.code}`);
    return;
  }
  cli.out(`${paint.green('ok')} ${paint.bold(clean(subject!))}`);
  cli.out(
    `  granted by ${clean(issuer!)}, in force (${expiresAt === null ? 'no expiry' : `until ${formatTime(expiresAt)}`})`,
  );
  cli.out(`  ${paint.dim('mandate   ')}  ${clean(mandate_id!)}`);
  cli.out(`  ${paint.dim('boundaries')}  ${clean(safeJson(plainJson(boundaries)))}`);
}
