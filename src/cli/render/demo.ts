import type { ActReport } from '../../app/setup/demo.js';
import type { DrillReport } from '../../app/mesh/drill.js';
import type { PassportDocument } from '../../protocol/passport.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { cleanSentence } from './decision/facts.js';
import type { Paint } from './terminal/paint.js';
import { clean, fit, flowed, safeJson, wrap } from './terminal/text.js';

export interface DemoLook {
  readonly paint: Paint;
  /** Columns of the terminal. */
  readonly width: number;
}

const INDENT = '   ';

/** What is about to be shown, and the passport all of it turns on. */
export function renderOpening(passport: PassportDocument, { paint, width }: DemoLook): string {
  const { constraints } = passport;
  const limits = [
    `at most ${String(constraints.monetary_limit)} ${String(constraints.currency)} at a time`,
    `mail to ${(constraints.allowed_domains as string[]).join(', ')} only`,
    String(constraints.rate_limit),
  ];
  const rows = [
    ['agent', passport.agent_id],
    ['may', passport.actions.map((action) => (typeof action === 'string' ? action : action.name)).join(', ')],
    ['within', limits.join('; ')],
    ['signed by', `${passport.principal}, with a key that the agent does not hold`],
  ];
  return [
    ...wrap(
      'Acme lets an AI agent answer its customers. Before the agent acts, it signs what it intends to do, and a verifier decides. Keys, signatures, refusals and log are real; they live in a folder that is removed at the end.',
      width,
    ),
    '',
    paint.bold('The passport'),
    ...rows.map(([label, value]) => flowed(`${INDENT}${paint.dim(label!.padEnd(9))}  ${clean(value!)}`, width)),
  ].join('\n');
}

/** One act: what is tried, what was signed, and what the verifier says. */
export function renderAct(
  number: number,
  { tries, intent, judgement, expected, asTold, before }: ActReport,
  look: DemoLook,
): string {
  const { paint, width } = look;
  const { decision } = judgement;
  const room = width - INDENT.length;
  const verdict = decision.success
    ? wrap(`${paint.green(paint.bold('ok'))} ${cleanSentence(decision.message)}`, room)
    : [
        `${paint.red(paint.bold('REFUSED'))} ${paint.bold(`${decision.error_code} ${decision.error_message}`)}`,
        ...wrap(cleanSentence(decision.message), room),
      ];
  const surprise = asTold ? [] : [paint.red(`This is not how it should end: ${expected ?? 'ok'} was expected.`)];
  const [first, ...rest] = wrap(tries, width - INDENT.length);
  return [
    paint.bold(`${`${number}.`.padEnd(INDENT.length)}${first!}`),
    ...[
      ...rest.map((line) => paint.bold(line)),
      ...(before === undefined ? [] : wrap(clean(before), room)),
      paint.dim(fit(asked(intent.action, intent.params), room)),
    ]
      .concat(verdict, surprise)
      .map((line) => INDENT + line),
  ].join('\n');
}

function asked(action: string, params: JsonObject): string {
  const pairs = Object.entries(params).map(
    ([name, value]) => `${clean(name)}: ${typeof value === 'string' ? clean(value) : safeJson(value)}`,
  );
  return `${clean(action)}  ${pairs.join(', ')}`;
}

export interface DemoEnd {
  readonly verified: number;
  readonly refused: number;
  readonly surprises: number;
  readonly log: { readonly ok: boolean; readonly count: number };
  /** Null when the mesh was not reached. */
  readonly drill: DrillReport | null;
  /** What people type for `aip`. */
  readonly program: string;
}

/** What it came to, and what to do next. */
export function renderEnd(end: DemoEnd, { paint, width }: DemoLook): string {
  const { verified, refused, surprises, log, drill, program } = end;
  const ended = surprises === 0 ? 'each as it must be' : `${surprises} NOT as it must be`;
  const chain = log.ok ? 'whole' : 'BROKEN';
  const next = [
    ['init --domain acme.com', 'set this machine up'],
    ['passport create my-agent -a send_email --allowed-domain example.com', 'give an agent an identity and limits'],
    ['intent sign -p my-agent -a send_email -o intent.json', 'sign what it intends to do'],
    ['intent verify intent.json', 'decide'],
    ['mesh serve', 'stop agents on every machine at once'],
    ['explain AIP-E202', 'what a refusal means, and what to do about it'],
  ];
  return [
    ...wrap(
      `${verified} accepted, ${refused} refused, ${ended}. The log holds ${log.count} entries, and its hash chain is ${chain}.`,
      width,
    ).map((line) => (surprises === 0 && log.ok ? line : paint.red(line))),
    ...(drill === null ? [] : wrap(drillLine(drill), width)),
    '',
    paint.bold('Now your own'),
    ...next.flatMap(([command, why]) => [
      `${INDENT}${paint.cyan(`${program} ${command}`)}`,
      `${INDENT}${INDENT}${paint.dim(why!)}`,
    ]),
  ].join('\n');
}

function drillLine({ p50_ms, p99_ms, rounds, can_halt }: DrillReport): string {
  const times = p50_ms === null ? 'nobody confirmed' : `p50 ${p50_ms} ms, p99 ${p99_ms} ms`;
  return `Drill: ${rounds} revocations, from the commit to the verifier's confirmation ${times}; can halt: ${can_halt}.`;
}
