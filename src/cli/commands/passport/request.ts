import { basename } from 'node:path';
import { shellWord } from '../../../app/failure.js';
import { whereabouts } from '../../../app/keys/keyring.js';
import { requestPassport } from '../../../app/passports/request.js';
import type { PassportDocument } from '../../../protocol/passport.js';
import { createFile, FORCE, replaceFile } from '../../../workspace/files.js';
import { issuing } from '../../../workspace/keys.js';
import { FORCE_OPTION, PASSPHRASE_OPTIONS } from '../../input/options.js';
import { KEY_OPTIONS, newKeyPlace, type KeyPlaceFlags } from '../../input/key-place.js';
import { withApproverKeys } from '../../passports/approvers.js';
import { passportTarget } from '../../passports/out.js';
import { askActions, askDomain, askName } from '../../passports/questions.js';
import { constraintsOf, template, TERM_OPTIONS, text, type TermFlags } from '../../passports/terms.js';
import { clean } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';

interface Options extends Omit<TermFlags, 'metadata' | 'deny'>, KeyPlaceFlags {
  readonly domain?: string;
  readonly out?: string;
  readonly force?: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['passport', 'request'],
  summary: "Make an agent's key here, and write what its principal is asked to sign elsewhere",
  detail:
    'Valid for 7 days and signed once: aip passport sign. Made again before it was answered, it names the same key. No private key travels.',
  args: [{ name: 'name', description: 'name of the agent, e.g. support-agent-v1', required: false }],
  options: [
    {
      title: 'Who',
      options: [{ flags: '--domain <domain>', description: 'domain of the principal, e.g. acme.com' }],
    },
    { ...TERM_OPTIONS, options: TERM_OPTIONS.options.filter(({ flags }) => !flags.startsWith('--deny')) },
    {
      title: 'Where things go',
      options: [
        {
          flags: '-o, --out <file>',
          description: 'request file (default <name>.request.json; - prints)',
          values: 'file',
        },
        FORCE_OPTION,
        ...KEY_OPTIONS,
        ...PASSPHRASE_OPTIONS,
      ],
    },
  ],
  examples: [{ run: 'aip passport request bot --domain acme.com -a deploy', why: 'where the agent lives' }],
  exits: { 3: 'a named file cannot be read', 4: 'the key store is missing, locked or refuses' },
  touches: ['files', 'state', 'keychain'],
  topics: ['passports', 'keys'],

  async run({ args, options }, cli) {
    const given = options.from === undefined ? {} : await template(options.from, cli);
    const config = await cli.config();
    const name = args[0] ?? text(given, 'name') ?? text(given, 'agent_name') ?? (await askName(cli.ask));
    const domain = options.domain ?? text(given, 'domain') ?? config.get('domain') ?? (await askDomain(cli.ask));
    const named = [...((given['actions'] ?? []) as PassportDocument['actions'][number][]), ...options.action];
    const actions = named.length > 0 ? named : await askActions(cli.ask);
    const keyStore = newKeyPlace(options, config.get('key_store'));
    const path = passportTarget(options.out ?? `${name}.request.json`, cli);
    const limits = constraintsOf(given, { ...options, deny: [], metadata: [] });
    const constraints = await withApproverKeys(limits, cli);
    const terms = { name, domain, actions, constraints };
    const { request, key } = await requestPassport(
      await issuing(cli.workspace, options),
      terms,
      keyStore,
      async (json) => {
        if (path === null) cli.out(json.trimEnd());
        else await (options.force === true ? replaceFile : createFile)(path, json, FORCE);
      },
    );
    const { agent_id, key_id, public_key, requested_at } = request;
    if (cli.globals.json)
      cli.json({ agent_id, key_id, public_key, requested_at, request: path, key_store: key.store, key_ref: key.ref });
    else if (path !== null) {
      cli.out(`${cli.paint.green('requested')} ${cli.paint.bold(clean(agent_id))}`);
      cli.out(`  request      ${clean(path)}`);
      cli.out(`  private key  ${clean(whereabouts(key))}`);
    }
    const file = path === null ? '-' : shellWord(clean(basename(path)));
    cli.note(
      `\nnext, where the principal is:\n  aip passport sign ${file}\nthen here, with what that wrote:\n  aip passport import ${shellWord(`${name}.passport.json`)}`,
    );
    return 0;
  },
};
