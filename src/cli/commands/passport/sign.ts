import { draftRequested, signRequested } from '../../../app/passports/request.js';
import { Failure } from '../../../app/failure.js';
import { ShapeError } from '../../../protocol/json/shape.js';
import { readPassportRequest, type WellFormedRequest } from '../../../protocol/passport-request.js';
import type { JsonObject } from '../../../protocol/json/values.js';
import { issuing } from '../../../workspace/keys.js';
import { readInput } from '../../input/documents.js';
import { ISSUER_KEY_OPTION, issuerPlace } from '../../input/key-place.js';
import { FORCE_OPTION, PASSPHRASE_OPTIONS, YES_OPTION } from '../../input/options.js';
import type { ChangeFlags } from '../../passports/change.js';
import { passportTarget, printUnwritten } from '../../passports/out.js';
import { announce, sayReach } from '../../passports/reach.js';
import { DEFAULT_PASSPORT_TERM_MS, expiryOf, lifetime } from '../../passports/terms.js';
import { clean } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';

interface Options extends ChangeFlags {
  readonly expires?: number | 'never';
  readonly replaceKey: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['passport', 'sign'],
  summary: 'Have the principal sign what an agent asks for',
  detail: 'It is shown first: an agent on another machine wrote it with aip passport request.',
  args: [{ name: 'request', description: 'what aip passport request wrote (- for stdin)', values: 'file' }],
  options: [
    {
      title: 'What is signed',
      options: [
        { flags: '--expires <duration>', description: 'how long it is valid (default 90d), or never', value: lifetime },
        { flags: '--replace-key', description: 'for an agent that is known with another key; --yes does not imply it' },
      ],
    },
    {
      title: 'Where it goes',
      options: [
        {
          flags: '-o, --out <file>',
          description: 'passport file (default <name>.passport.json; - prints)',
          values: 'file',
        },
        { flags: '--no-publish', description: 'keep it on this machine, also where a mesh could carry it' },
        FORCE_OPTION,
        YES_OPTION,
        ISSUER_KEY_OPTION,
        ...PASSPHRASE_OPTIONS,
      ],
    },
  ],
  examples: [{ run: 'aip passport sign bot.request.json', why: 'asks before it signs' }],
  exits: {
    3: 'the request cannot be read, or its signature does not hold',
    4: "the principal's key is not here, or its store is missing, locked or refuses",
    5: 'the mesh could not be told, or not every verifier has it yet',
    13: "the principal's key is denied",
  },
  touches: ['files', 'state', 'keychain', 'network'],
  topics: ['passports', 'keys'],

  async run({ args, options }, cli) {
    const source = args[0]!;
    const request = requestIn(await readInput(source, cli), source);
    const { agent } = request;
    const deps = await issuing(cli.workspace, issuerPlace(options), options.force);
    const draft = draftRequested(deps, request, expiryOf(options.expires ?? DEFAULT_PASSPORT_TERM_MS));
    if (draft.replaces !== null && !options.replaceKey) {
      throw new Failure('USAGE', `${agent.id} is known here with another key: ${draft.replaces}.`, {
        hint: 'where the new key is meant to take its place: --replace-key',
      });
    }
    const path = passportTarget(options.out ?? `${agent.name}.passport.json`, cli);
    cli.note(shown(request.document as unknown as JsonObject));
    const message = `Sign this as serial ${draft.after.serial} of ${agent.id}`;
    // A person is asked; a script has said what it wants.
    if (options.yes !== true && cli.ask.allowed && !(await cli.ask.confirm({ message, flag: '--yes' })))
      throw new Failure('USAGE', 'Nothing was signed.', { hint: 'answer y, or give --yes' });
    const passport = await signRequested(deps, request, draft, path);
    const announced = await announce(cli, passport, { ...options, force: false });
    if (cli.globals.json) {
      const { agent_id, key_id, public_key, expires_at } = passport.document;
      cli.json({
        ...{ agent_id, key_id, public_key, serial: passport.serial, passport_hash: passport.hash() },
        ...{ passport: path, expires_at, published: announced.publishing?.outcome ?? null },
      });
      return announced.exitCode;
    }
    const say = printUnwritten(path, passport.document, cli);
    say(`${cli.paint.green('signed')} ${cli.paint.bold(clean(agent.id))} serial ${passport.serial}`);
    say(`  passport  ${clean(path ?? 'stdout')}`);
    const { key_id } = passport.document;
    if (key_id !== request.document.key_id)
      say(`  key       ${clean(key_id.split('#')[1]!)}: the number that it asked for was another key's`);
    say(`  expires   ${passport.document.expires_at ?? 'never'}`);
    sayReach(cli, path, announced);
    return announced.exitCode;
  },
};

function requestIn(bytes: Uint8Array, source: string): WellFormedRequest {
  try {
    return readPassportRequest(bytes);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new Failure('UNREADABLE', `${source} is not a passport request: ${error.reason}.`, {
      hint: 'make it where the agent lives: aip passport request <name>',
    });
  }
}

/** What the principal is asked for, one line a member. */
function shown({ agent_id, public_key, actions, constraints, requested_at }: JsonObject): string {
  const rows: [string, unknown][] = [
    ['agent', agent_id],
    ['key', public_key],
    ['requested', requested_at],
    ...(actions as unknown[]).map((action): [string, unknown] => ['action', action]),
    ...Object.entries(constraints as JsonObject),
  ];
  return rows
    .map(([label, value]) => `${clean(label)}: ${clean(typeof value === 'string' ? value : JSON.stringify(value))}`)
    .join('\n');
}
