/** What `passport update` and `renew` have in common: show the difference, ask, have the principal sign, say who has it. */
import { findPassport } from '../../app/passports/find.js';
import {
  draftChange,
  issueChange,
  type Draft,
  type PassportChange,
  type Difference,
} from '../../app/passports/update.js';
import { passportText } from '../../app/passports/issue.js';
import { lintPassport } from '../../app/passports/lint/lint.js';
import { Failure, shellWord } from '../../app/failure.js';
import { createFile, orForce, readDocument, replaceFile } from '../../workspace/files.js';
import { resolve } from 'node:path';
import type { KeyAddressText } from '../../protocol/identity/key-address.js';
import type { Json, JsonObject } from '../../protocol/json/values.js';
import type { Passport, PassportDocument } from '../../protocol/passport.js';
import { ISSUER_KEY_OPTION, issuerPlace } from '../input/key-place.js';
import { PASSPHRASE_OPTIONS, YES_OPTION } from '../input/options.js';
import { clean } from '../render/terminal/text.js';
import type { OptionGroup } from '../spec.js';
import { issuing, type KeyPlaces } from '../../workspace/keys.js';
import { sayFindings } from './findings.js';
import { passportTarget, printUnwritten, refuseOther } from './out.js';
import { announce, sayReach } from './reach.js';
import type { Setting } from '../setting.js';
import type { Output } from '../output.js';
import type { Questioner } from '../questions/ask.js';
import type { Surroundings } from '../io.js';

/** What these functions need of a command. */
type Scene = Setting & Output & Questioner & Surroundings;

export interface ChangeFlags extends KeyPlaces {
  readonly key?: KeyAddressText;
  readonly out?: string;
  /** Where the next serial goes unsigned; nothing else happens then. */
  readonly draft?: string;
  readonly yes?: boolean;
  /** False with `--no-publish`. */
  readonly publish?: boolean;
  /** Publishes over what the mesh would otherwise ask about. */
  readonly force?: boolean;
}

export const CHANGE_OPTIONS: OptionGroup = {
  title: 'Where it goes',
  options: [
    { flags: '-o, --out <file>', description: 'passport file (default: the one it has; - prints)', values: 'file' },
    { flags: '--no-publish', description: 'keep it on this machine, also where a mesh could carry it' },
    {
      flags: '--force',
      description:
        'replace another file that --out names; publish although a verifier of an older version would not hear of it',
    },
    YES_OPTION,
    ISSUER_KEY_OPTION,
    ...PASSPHRASE_OPTIONS,
  ],
};

export const CHANGE_EXITS = {
  3: 'the passport is not known',
  5: 'the mesh could not be told, or not every verifier has it yet: what is said holds for this machine',
  4: "the principal's key store is missing, locked or refuses",
  10: 'the passport was edited, or replaced',
  13: "the principal's key is denied",
} as const;

/** Changes the passport of `agent` as `changeOf` says, and returns the exit code. */
export async function changePassport(
  cli: Scene,
  agent: string,
  flags: ChangeFlags,
  changeOf: (before: Passport) => Promise<PassportChange> | PassportChange,
): Promise<number> {
  const deps = await issuing(cli.workspace, issuerPlace(flags));
  const found = await findPassport({ state: deps.state, readFile: readDocument }, agent);
  if (flags.draft !== undefined) {
    if (flags.out !== undefined)
      throw new Failure('USAGE', 'A draft is not signed, so there is no passport to write.', {
        hint: 'give one of --draft and --out',
      });
    const path = await draftTarget(flags.draft, found.path, flags.force, cli);
    return writeDraft(path, draftChange(deps, found.passport, await changeOf(found.passport)), flags, cli);
  }
  const target = flags.out ?? found.path;
  if (target === null)
    throw new Failure('USAGE', 'The passport has no file to write to.', { hint: 'name one with --out <file>' });
  const path = passportTarget(target, cli);
  await refuseOther(path, found.path, flags.force, cli);
  const draft = draftChange(deps, found.passport, await changeOf(found.passport));
  const { differences } = draft;
  if (differences.length === 0) return unchanged(cli, found.passport, path);
  cli.note(renderDifferences(differences, cli));
  const message = `Sign this as serial ${draft.after.serial} of ${found.passport.agent.id}`;
  // A person is asked; a script has said what it wants.
  if (flags.yes !== true && cli.ask.allowed && !(await cli.ask.confirm({ message, flag: '--yes' })))
    throw new Failure('USAGE', 'Nothing was changed.', { hint: 'answer y, or give --yes' });
  const passport = await issueChange(deps, draft, path);
  const announced = await announce(cli, passport, flags);
  const findings = lintPassport(passport.document);
  if (cli.globals.json) {
    cli.json({
      ...answerOf(passport, path, true),
      published: announced.publishing?.outcome ?? null,
      differences,
      warnings: findings.map(({ code, message: text }) => ({ code, message: text })),
    });
    return announced.exitCode;
  }
  const say = printUnwritten(path, passport.document, cli);
  say(`${cli.paint.green('signed')} ${cli.paint.bold(clean(passport.agent.id))} serial ${passport.serial}`);
  say(`  passport  ${clean(path ?? 'stdout')}`);
  say(`  expires   ${passport.document.expires_at ?? 'never'}`);
  sayFindings(findings, cli);
  sayReach(cli, path, announced);
  return announced.exitCode;
}

/** Where a draft goes, null for `-`; `own` is the file of the passport in force. @throws Failure EXISTS, USAGE */
export async function draftTarget(
  given: string,
  own: string | null,
  force: boolean | undefined,
  cli: Scene,
): Promise<string | null> {
  const path = passportTarget(given, cli, '--draft');
  if (path !== null && own !== null && resolve(cli.io.cwd, own) === path)
    throw new Failure('USAGE', `${path} is the passport in force; a draft would take its place.`, {
      hint: '--draft new.json',
    });
  await refuseOther(path, null, force, cli, '--draft');
  return path;
}

/** Writes an unsigned passport there; to a file that `draftTarget` named. */
export async function writeDraftFile(path: string, document: JsonObject, force: boolean | undefined): Promise<void> {
  await (force === true ? replaceFile : createFile)(path, draftText(document), orForce('--draft'));
}

/** A draft as it is written. */
export function draftText(document: JsonObject): string {
  return passportText(document as unknown as PassportDocument);
}

/** The passport as it would be, for `policy diff`, `policy replay`, `redteam` and `lint`. */
async function writeDraft(path: string | null, draft: Draft, flags: ChangeFlags, cli: Scene): Promise<number> {
  const { before, after, differences } = draft;
  if (differences.length === 0) return unchanged(cli, before, path);
  cli.note(renderDifferences(differences, cli));
  const document = after as unknown as JsonObject;
  if (path !== null) await writeDraftFile(path, document, flags.force);
  const { agent_id, key_id, serial, issued_at, expires_at } = after;
  if (cli.globals.json) {
    const warnings = lintPassport(after).map(({ code, message }) => ({ code, message }));
    const draftOf = { agent_id, key_id, serial, passport_hash: null, passport: null, draft: path };
    cli.json({ ...draftOf, issued_at, expires_at, changed: false, published: null, differences, warnings });
    return 0;
  }
  if (path === null) cli.out(draftText(document).trimEnd());
  else {
    cli.out(`drafted ${cli.paint.bold(clean(agent_id))} serial ${serial}, unsigned: nothing has changed`);
    cli.out(`  draft     ${clean(path)}`);
    sayNextOfDraft(before.agent.name, flags.draft!, cli);
  }
  return 0;
}

/** How a draft goes on: what it changes, and its signature. */
export function sayNextOfDraft(agentName: string, given: string, cli: Pick<Scene, 'note'>): void {
  const [agent, file] = [shellWord(agentName), clean(shellWord(given))];
  cli.note(`\nnext: aip policy diff ${agent} ${file}\nthen: aip passport update ${agent} --from ${file}`);
}

function unchanged(cli: Scene, passport: Passport, path: string | null): number {
  if (cli.globals.json) cli.json({ ...answerOf(passport, path, false), differences: [], warnings: [] });
  else cli.out(`${clean(passport.agent.id)} is like that already: serial ${passport.serial} stays in force`);
  return 0;
}

function answerOf(passport: Passport, path: string | null, changed: boolean) {
  const { agent_id, key_id, issued_at, expires_at } = passport.document;
  return {
    agent_id,
    key_id,
    serial: passport.serial,
    passport_hash: passport.hash(),
    passport: path,
    draft: null,
    issued_at,
    expires_at,
    changed,
    published: null,
  };
}

/** One line a member: what it was, and what it will be. */
function renderDifferences(differences: readonly Difference[], { paintErr }: Pick<Scene, 'paintErr'>): string {
  return differences
    .flatMap(({ path, before, after }) => [
      ...(before === null ? [] : [paintErr.red(`- ${clean(path)}${valueOf(before)}`)]),
      ...(after === null ? [] : [paintErr.green(`+ ${clean(path)}${valueOf(after)}`)]),
    ])
    .join('\n');
}

function valueOf(value: Json): string {
  return value === true ? '' : `: ${clean(JSON.stringify(value))}`;
}
