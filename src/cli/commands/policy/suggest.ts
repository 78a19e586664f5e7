import type { KeptMember, Narrowed } from '../../../app/policy/narrowing.js';
import { suggestPassport, type Suggestion } from '../../../app/policy/suggest.js';
import { Failure, shellWord } from '../../../app/failure.js';
import { formatTime } from '../../../protocol/time.js';
import { loadSchemaProblem } from '../../../workspace/keys.js';
import { localState } from '../../../workspace/state.js';
import { loadSchemaCheck } from '../../../workspace/verification.js';
import type { Cli } from '../../cli.js';
import { sinceWhen } from '../../input/values.js';
import { draftTarget, draftText, sayNextOfDraft, writeDraftFile } from '../../passports/change.js';
import { draftPassport } from '../../policy/documents.js';
import { shownChange } from '../../policy/shown.js';
import { clean, counted, flowed } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';

interface Options {
  readonly passport?: string;
  readonly since?: string;
  readonly until?: string;
  readonly draft?: string;
  readonly force?: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['policy', 'suggest'],
  summary: 'Draft the narrowest passport under which all that the log shows as accepted would be accepted again',
  detail:
    'Nothing is learned from what was refused, and nothing becomes wider than it is. The draft is judged by a replay of the same log before it is shown. Nothing is signed or counted: a person reads the draft, and knows what the log has not seen.',
  options: [
    {
      title: 'Flags',
      options: [
        {
          flags: '-p, --passport <agent>',
          description: 'the passport to narrow: the name of one known here, or a file, also of a draft',
          values: 'agent',
        },
        {
          flags: '--since <time>',
          description: 'from then on: a duration such as 30d, or a time; all of the log without it',
        },
        { flags: '--until <time>', description: 'up to then' },
        { flags: '--draft <file>', description: 'write the draft, unsigned (- prints it)', values: 'file' },
        { flags: '--force', description: 'replace another file that --draft names' },
      ],
    },
  ],
  examples: [
    { run: 'aip policy suggest -p support-agent-v1 --since 30d', why: 'what it never used' },
    { run: 'aip policy suggest -p support-agent-v1 --draft narrowest.json', why: 'to read, to try and to sign' },
  ],
  exits: { 3: 'the passport does not exist, or the log holds nothing of the agent that was accepted in that time' },
  touches: ['files', 'state'],
  onlyReads: true,
  topics: ['policy', 'passports', 'logs'],

  async run({ options }, cli) {
    if (options.passport === undefined) {
      throw new Failure('USAGE', 'Nothing says which passport is to be narrower.', {
        hint: 'aip policy suggest -p support-agent-v1 --since 30d',
      });
    }
    const { passport, json, named } = await draftPassport(options.passport, cli);
    const own = typeof named === 'string' && named !== '-' ? named : null;
    const path = options.draft === undefined ? null : await draftTarget(options.draft, own, options.force, cli);
    const [state, config, schemaProblems, schemaProblem] = await Promise.all([
      localState(cli.workspace),
      cli.config(),
      loadSchemaCheck(),
      loadSchemaProblem(),
    ]);
    const now = cli.io.now();
    const since = options.since === undefined ? null : sinceWhen(options.since, now);
    const until = options.until === undefined ? null : sinceWhen(options.until, now);
    const found = await suggestPassport({
      log: state,
      setting: {
        ...{ passport, json, schemaProblem, schemaProblems },
        judgedPassport: (hash) => state.judgedPassport(hash),
        hooks: config.get('hooks').length > 0,
        unmeasured: config.get('verify.unmeasured'),
      },
      span: { since, until },
      pause: async () => {
        await new Promise<void>((resolve) => setImmediate(resolve));
        cli.io.interruption.throwIfTold();
      },
    });
    warnOf(found, cli);
    const isNarrower = found.narrower.length > 0;
    if (path !== null && isNarrower) await writeDraftFile(path, found.passport, options.force);
    if (cli.globals.json) {
      const { accepted, refused, narrower, kept, replay } = found;
      cli.json({
        agent_id: passport.agent.id,
        since: since === null ? null : formatTime(since),
        until: until === null ? null : formatTime(until),
        ...{ accepted, refused, narrower, kept, replay: countsOf(replay), passport: found.passport },
        draft: isNarrower ? path : null,
      });
      return 0;
    }
    const isPrinted = options.draft === '-' && isNarrower;
    show(found, passport.agent.id, cli, isPrinted ? (text) => cli.note(text) : (text) => cli.out(text));
    if (isPrinted) cli.out(draftText(found.passport).trimEnd());
    else if (path !== null && isNarrower) {
      cli.out(`drafted ${clean(path)}, unsigned: nothing has changed. A person reads it before it is signed.`);
      sayNextOfDraft(passport.agent.name, options.draft!, cli);
    } else if (isNarrower)
      cli.note(`\nnext: aip policy suggest -p ${clean(shellWord(options.passport))} --draft narrowest.json`);
    else if (path !== null) cli.note(`${clean(path)} was not written: it would allow what the passport allows.`);
    return 0;
  },
};

/** What so many accepted intents over so many days have not shown is likely to come. */
const ENOUGH = { accepted: 20, days: 7 };
const DAY_MS = 24 * 3_600_000;

function warnOf({ accepted, refused_today: lost, first, last }: Suggestion, cli: Cli): void {
  const learned = accepted - lost;
  const days = (last - first) / DAY_MS;
  if (learned < ENOUGH.accepted || days < ENOUGH.days) {
    const over = days < 1 ? 'less than a day' : counted(Math.floor(days), 'day');
    cli.warn(
      `This is little to go by: ${learned} accepted over ${over}, where ${ENOUGH.accepted} over ${ENOUGH.days} days are the least. What the agent does less often is not in it.`,
      'little_evidence',
    );
  }
  if (lost > 0)
    cli.warn(
      `${lost} of ${accepted} accepted would be refused by this passport as it is; nothing was learned from them.`,
      'refused_today',
    );
}

function countsOf({ total, seeded, ...groups }: Suggestion['replay']): Record<string, number> {
  const { accepted_to_refused, refused_to_accepted, unchanged, not_decidable } = groups;
  return {
    ...{ total, seeded, refused_to_accepted: refused_to_accepted.count },
    ...{ accepted_to_refused: accepted_to_refused.count, unchanged: unchanged.count },
    not_decidable: not_decidable.count,
  };
}

function show(found: Suggestion, agentId: string, cli: Cli, say: (text: string) => void): void {
  const { accepted, refused, first, last, narrower, kept, replay } = found;
  const line = (text: string): void => say(flowed(text, cli.width));
  const codes = Object.entries(refused).map(([code, count]) => `${clean(code)} ${count}`);
  line(
    `${accepted} accepted of ${clean(agentId)}, ${formatTime(first).slice(0, 16)}Z to ${formatTime(last).slice(0, 16)}Z`,
  );
  if (codes.length > 0) line(`refused, and nothing is learned from it: ${codes.join(', ')}`);
  for (const each of narrower) line(`${cli.paint.green('narrower')} ${narrowerLine(each)}`);
  for (const each of kept) line(cli.paint.dim(`kept     ${keptLine(each)}`));
  if (narrower.length === 0) line('nothing would become narrower');
  const counts = Object.entries(countsOf(replay)).filter(([name]) => name !== 'seeded' && name !== 'total');
  line(
    `replay of ${replay.total}: ${counts.map(([name, count]) => `${count} ${name.replaceAll('_', ' ')}`).join(', ')}`,
  );
}

function narrowerLine({ path, before, after, why }: Narrowed): string {
  return `${clean(path)}  ${shownChange(before, after)};  ${clean(why)}`;
}

function keptLine({ path, why }: KeptMember): string {
  return `${clean(path)}  ${clean(why)}`;
}
