import type { PassportChange } from '../../../app/passports/update.js';
import { Failure } from '../../../app/failure.js';
import { parseJsonText } from '../../../protocol/json/parse.js';
import type { JsonObject } from '../../../protocol/json/values.js';
import type { Passport, PassportDocument } from '../../../protocol/passport.js';
import type { Cli } from '../../cli.js';
import { pairs } from '../../input/values.js';
import { withApproverKeys } from '../../passports/approvers.js';
import { CHANGE_EXITS, CHANGE_OPTIONS, changePassport, type ChangeFlags } from '../../passports/change.js';
import {
  changeTemplate,
  constraintsOf,
  expiryOf,
  lifetime,
  METADATA_OPTION,
  TERM_OPTIONS,
  usable,
  type TermFlags,
} from '../../passports/terms.js';
import { clean } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';

interface Options extends TermFlags, ChangeFlags {
  readonly addAction: readonly string[];
  readonly removeAction: readonly string[];
  readonly unset: readonly string[];
  readonly expires?: number | 'never';
}

export const command: CommandSpec<Options> = {
  path: ['passport', 'update'],
  summary: 'Change what an agent may do: same keys, next serial, signed by its principal again',
  detail:
    'The difference is shown first. From then on older passports of the agent are refused here, no matter who presents them.',
  args: [{ name: 'agent', description: 'agent id, name of a known passport, or a passport file', values: 'agent' }],
  options: [
    {
      title: 'What changes',
      options: [
        { flags: '--add-action <name>', description: 'an action it may do as well', repeatable: true, several: true },
        {
          flags: '--remove-action <name>',
          description: 'an action it may do no longer',
          repeatable: true,
          several: true,
        },
        { flags: '--unset <constraint>', description: 'a constraint that no longer holds', repeatable: true },
        { flags: '--expires <duration>', description: 'new term from now, e.g. 90d, or never', value: lifetime },
        METADATA_OPTION,
      ],
    },
    {
      ...TERM_OPTIONS,
      title: 'What it may do from now on (each list takes the place of the one before)',
    },
    {
      title: 'Before it is signed',
      options: [
        {
          flags: '--draft <file>',
          description: 'write the next serial unsigned (- prints): nothing is asked, signed or published',
          values: 'file',
        },
      ],
    },
    CHANGE_OPTIONS,
  ],
  examples: [
    { run: 'aip passport update support-agent-v1 --monetary-limit 50', why: 'a narrower limit' },
    { run: 'aip passport update support-agent-v1 --monetary-limit 50 --draft new.json', why: 'to try it first' },
    { run: 'aip passport update support-agent-v1 --from new.json', why: 'the draft, or an older passport' },
    { run: 'aip passport update support-agent-v1 --remove-action issue_refund --yes', why: 'in a script' },
  ],
  exits: CHANGE_EXITS,
  touches: ['files', 'state', 'keychain', 'network'],
  topics: ['passports', 'constraints'],

  async run({ args, options }, cli) {
    return changePassport(cli, args[0]!, options, (before) => changeOf(before, options, cli));
  },
};

const NOTHING = { file: {} as JsonObject, whole: false };

async function changeOf(before: Passport, options: Options, cli: Cli): Promise<PassportChange> {
  const { file, whole } = options.from === undefined ? NOTHING : await changeTemplate(options.from, before, cli);
  const { agent } = before;
  for (const [member, own] of [
    ['name', agent.name],
    ['agent_name', agent.name],
    ['domain', agent.domain],
  ] as const) {
    if (file[member] !== undefined && file[member] !== own)
      throw new Failure('USAGE', `"${member}" in the file is of another agent than ${agent.id}.`);
  }
  const actions = [...((file['actions'] ?? []) as PassportDocument['actions'][number][]), ...options.action];
  const denied = [...((file['denied_actions'] ?? []) as string[]), ...options.deny];
  const dropped =
    options.deny.length === 0 ? [] : before.document.denied_actions.filter((each) => !denied.includes(each));
  if (dropped.length > 0)
    cli.warn(
      `Denied no longer: ${clean(dropped.join(', '))}. --deny takes the place of the whole list: name them as well to keep them.`,
      'denied_no_longer',
    );
  const constraints = await withApproverKeys(constraintsOf(file, options, before.document.constraints), cli);
  const { expires } = options;
  return {
    whole,
    ...(actions.length === 0 && !whole ? {} : { actions }),
    addActions: options.addAction,
    removeActions: options.removeAction,
    params: options.param,
    ...(denied.length === 0 && !whole ? {} : { deniedActions: denied }),
    constraints,
    unset: options.unset,
    metadata: {
      ...((file['metadata'] ?? {}) as JsonObject),
      ...usable(() => pairs(options.metadata, parseJsonText)),
    },
    ...(expires === undefined ? {} : { expiresInMs: expiryOf(expires) }),
  };
}
