import { findPassport } from '../../../app/passports/find.js';
import { rotatePassport } from '../../../app/passports/issue.js';
import { Failure } from '../../../app/failure.js';
import { isHeld, whereabouts } from '../../../app/keys/keyring.js';
import type { KeyPlace, KeyRecord } from '../../../app/ports/state.js';
import { MAX_PREVIOUS_KEYS } from '../../../protocol/limits.js';
import { expiryOf, lifetime } from '../../passports/terms.js';
import { FORCE_OPTION, PASSPHRASE_OPTIONS, YES_OPTION } from '../../input/options.js';
import { KEY_OPTIONS, newKeyPlace, type KeyPlaceFlags } from '../../input/key-place.js';
import { clean } from '../../render/terminal/text.js';
import type { Cli } from '../../cli.js';
import type { CommandSpec } from '../../spec.js';
import { durationMs } from '../../input/values.js';
import { denyRetired } from '../../passports/retired-key.js';
import { renderReach } from '../../render/standing.js';
import { announce, sayReach } from '../../passports/reach.js';
import { passportTarget, printUnwritten, refuseOther } from '../../passports/out.js';
import { readDocument } from '../../../workspace/files.js';
import { issuing } from '../../../workspace/keys.js';
import { DEFAULT_KEY_STORE } from '../../../workspace/key-stores.js';

interface Options extends KeyPlaceFlags {
  readonly overlap?: number;
  readonly expires?: number | 'never';
  readonly yes?: boolean;
  readonly publish?: boolean;
  readonly out?: string;
  readonly force?: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['passport', 'rotate'],
  summary: 'Give an agent a new key, and have its principal sign the passport again',
  detail: 'The old key goes on verifying for the overlap, so that the new one can be deployed without a gap.',
  args: [{ name: 'agent', description: 'agent id, name of a known passport, or a passport file', values: 'agent' }],
  options: [
    {
      title: 'Times',
      options: [
        {
          flags: '--overlap <duration>',
          description: 'how long the old key still verifies (default 24h; 0s ends it now, and denies it)',
          value: durationMs,
        },
        {
          flags: '--expires <duration>',
          description: 'new term of the passport, or never (default: as long as before)',
          value: lifetime,
        },
      ],
    },
    {
      title: 'Where things go',
      options: [
        { flags: '-o, --out <file>', description: 'passport file (default: the one it has; - prints)', values: 'file' },
        { flags: '--no-publish', description: 'keep it on this machine, also where a mesh could carry it' },
        FORCE_OPTION,
        YES_OPTION,
        ...KEY_OPTIONS,
        ...PASSPHRASE_OPTIONS,
      ],
    },
  ],
  examples: [
    { run: 'aip passport rotate support-agent-v1', why: 'routine rotation' },
    { run: 'aip passport rotate support-agent-v1 --overlap 0s', why: 'the old key may have leaked' },
  ],
  exits: {
    3: 'the passport is not known',
    4: "the key store is missing, locked or refuses; or this machine's role may not deny the old key for the mesh",
    5: 'the mesh could not be told of the old key or of the passport, or not every verifier has heard of it',
    10: 'the passport was edited, or replaced',
    13: "the principal's key is denied",
  },
  touches: ['files', 'state', 'keychain', 'network'],
  topics: ['passports', 'keys'],

  async run({ args, options }, cli) {
    const deps = await issuing(cli.workspace, options);
    const found = await findPassport({ state: deps.state, readFile: readDocument }, args[0]!);
    const target = options.out ?? found.path;
    if (target === null)
      throw new Failure('USAGE', 'The passport has no file to write to.', { hint: 'name one with --out <file>' });
    const path = passportTarget(target, cli);
    await refuseOther(path, found.path, options.force, cli);
    const held = deps.state.key(found.passport.document.key_id);
    const place = await placeOf(options, held, cli);
    const { overlap, expires } = options;
    const message = `Give ${found.passport.agent.id} a new key${overlap === 0 ? ' and deny the one it has' : ''}`;
    // A person is asked; a script has said what it wants.
    if (options.yes !== true && cli.ask.allowed && !(await cli.ask.confirm({ message, flag: '--yes' })))
      throw new Failure('USAGE', 'Nothing was changed.', { hint: 'answer y, or give --yes' });
    const issued = await rotatePassport(deps, {
      passport: found.passport,
      path,
      overlapMs: overlap ?? null,
      expiresInMs: expires === undefined ? undefined : expiryOf(expires),
      keyStore: place,
    });
    const { document } = issued.passport;
    const [former] = document.previous_keys;
    for (const { key_id, valid_until } of found.passport.document.previous_keys)
      if (Date.parse(valid_until) > cli.io.now() && document.previous_keys.every((key) => key.key_id !== key_id))
        cli.warn(
          `${key_id} verifies no longer, before its time (${valid_until}): a passport carries ${MAX_PREVIOUS_KEYS} former keys.`,
          'former_key_dropped',
        );
    // The leaked one may be an earlier one.
    for (const { key_id, valid_until, public_key } of overlap === 0 ? document.previous_keys.slice(1) : [])
      if (Date.parse(valid_until) > cli.io.now())
        cli.warn(
          `${key_id} still verifies until ${valid_until}; to end it: aip revoke ${public_key}`,
          'former_key_valid',
        );
    const denied = overlap === 0 ? await denyRetired(cli, former!.public_key, options) : null;
    const announced = await announce(cli, issued.passport, { ...options, force: false });
    const answer = {
      agent_id: document.agent_id,
      key_id: document.key_id,
      public_key: document.public_key,
      passport: path,
      key_store: issued.key.store,
      key_ref: issued.key.ref,
      previous_key_id: former!.key_id,
      previous_valid_until: former!.valid_until,
      expires_at: document.expires_at,
      serial: issued.passport.serial,
      passport_hash: issued.passport.hash(),
      previous_key_denied: denied === null ? null : denied.everywhere ? 'everywhere' : 'here',
      published: announced.publishing?.outcome ?? null,
    };
    if (cli.globals.json) cli.json(answer);
    else {
      const say = printUnwritten(path, document, cli);
      say(`${cli.paint.green('rotated')} ${cli.paint.bold(document.agent_id)} to ${document.key_id.split('#')[1]!}`);
      say(`  passport     ${clean(path ?? 'stdout')}`);
      say(`  private key  ${clean(whereabouts(issued.key))}`);
      const end =
        denied === null ? `verifies until ${former!.valid_until}` : `is denied ${WHERE[`${denied.everywhere}`]}`;
      say(`  old key      ${former!.key_id.split('#')[1]!} ${end}`);
      if (denied?.given != null) say(`               ${renderReach(denied.given, cli.paint)}`);
      sayReach(cli, path, announced);
      cli.note('next: where the agent signs on another machine, give it the new key there');
    }
    return Math.max(denied?.exitCode ?? 0, announced.exitCode);
  },
};

const WHERE = { true: 'through the mesh', false: 'on this machine alone' } as const;

/** Where the new key goes: beside the one it replaces, unless that cannot be made anew. */
async function placeOf(options: Options, held: KeyRecord | null, cli: Cli): Promise<KeyPlace> {
  if (options.key === undefined && held !== null && !isHeld(held.store) && options.keyStore === undefined)
    throw new Failure('USAGE', `The key lives at ${held.ref}, where \`aip\` makes none.`, {
      hint: 'make a new one there, and name it with --key <address>',
    });
  const former = held !== null && isHeld(held.store) ? held.store : null;
  if (former === 'env' && options.key === undefined && options.keyStore === undefined && options.envFile === undefined)
    throw new Failure(
      'USAGE',
      'The key lives in an environment file, and the new one must not replace it before it is deployed.',
      { hint: 'name a new file with --env-file <file>' },
    );
  return newKeyPlace(options, former ?? (await cli.config()).get('key_store') ?? DEFAULT_KEY_STORE);
}
