/** What the command that `aip exec` runs is given, and what has to be said before it runs. */
import type { KeyPlaceFlags } from '../input/key-place.js';
import { join } from 'node:path';
import { chmodSync, writeFileSync } from 'node:fs';
import { Failure } from '../../app/failure.js';
import { isHeld } from '../../app/keys/keyring.js';
import type { Pin, State } from '../../app/ports/state.js';
import type { BoundCommand } from './bind-arguments.js';
import { temporaryFolder } from '../../workspace/files.js';
import { localState } from '../../workspace/state.js';
import { clean } from '../render/terminal/text.js';
import type { Setting } from '../setting.js';
import type { Notices } from '../output.js';
import type { Lifetime } from '../../workspace/workspace.js';
import type { Surroundings } from '../io.js';

/** What these functions need of a command. */
type Scene = Setting & Notices & Lifetime & Surroundings;

/** A file with the verified document, for this user alone, until the command is done. */
export function intentFile(text: string, cli: Scene): string {
  const folder = temporaryFolder('aip-intent-');
  cli.afterwards(() => folder.remove());
  const path = join(folder.path, 'intent.json');
  writeFileSync(path, `${text}\n`, { mode: 0o600, flag: 'wx' });
  chmodSync(path, 0o400);
  return path;
}

/** Warns, or with `--strict` refuses, before anything is spent. */
export async function warnBefore(
  bound: BoundCommand,
  options: KeyPlaceFlags & { readonly strict?: boolean },
  cli: Scene,
): Promise<void> {
  const found: { readonly code: string; readonly message: string; readonly hint: string }[] = [];
  for (const { placeholder, param } of bound.mistyped) {
    const names = bound.params.map((name) => `{${name}}`).join(', ');
    found.push({
      code: 'unknown_placeholder',
      message: `${placeholder} names no param of the intent, and the command gets it as it is; there ${bound.params.length === 1 ? 'is' : 'are'} ${names}.`,
      hint: `if it was meant as a placeholder, write {${param}}`,
    });
  }
  if (bound.unbound) {
    found.push({
      code: 'unbound_arguments',
      message: "The command's arguments and the verified params share nothing: what runs is not what was judged.",
      hint: 'write an argument as {name}, or read AIP_PARAM_<NAME>',
    });
  }
  const open = openPrincipals(await localState(cli.workspace), passphraseAtHand(options, cli));
  if (open.length > 0) {
    const whose = [...new Set(open.map(({ did }) => did))].join(', ');
    const [key, opens, it] = open.length === 1 ? ['key', 'opens', 'it'] : ['keys', 'open', 'them'];
    found.push({
      code: 'principal_key_here',
      message: `The ${key} of ${whose} ${opens} from this home without a question: the command, as the same user, can sign passports with ${it}.`,
      hint: "keep a principal's key on another machine or under another user: aip help security",
    });
  }
  for (const { did, ref } of askedPrincipals(await localState(cli.workspace)))
    found.push({
      code: 'principal_key_here',
      message: `The key of ${did} is asked at ${clean(ref)}: the command, as the same user, can ask it for passports, too.`,
      hint: "keep a principal's key on another machine or under another user: aip help security",
    });
  for (const { code, message, hint } of found) {
    if (options.strict === true)
      throw new Failure('USAGE', `${message} Nothing was spent or run (--strict: ${code}).`, { hint });
    cli.warn(`${message} ${hint[0]!.toUpperCase()}${hint.slice(1)}.`, code);
  }
}

function passphraseAtHand({ passphraseFile, passphraseFd }: KeyPlaceFlags, cli: Scene): boolean {
  return passphraseFile !== undefined || passphraseFd !== undefined || Boolean(cli.io.env.AIP_KEY_PASSPHRASE);
}

/** Principals whose key this home holds and opens without asking a person: in the keychain, or in a file whose passphrase is at hand. */
export function openPrincipals(state: Pick<State, 'pins' | 'key'>, passphraseAtHand: boolean): Pin[] {
  return state.pins().filter(({ keyId }) => {
    const store = state.key(keyId)?.store;
    return store === 'keychain' || (store === 'file' && passphraseAtHand);
  });
}

/** Principals whose key is asked where it lives, by what reaches it from here. */
export function askedPrincipals(state: Pick<State, 'pins' | 'key'>): { readonly did: string; readonly ref: string }[] {
  return state.pins().flatMap(({ did, keyId }) => {
    const record = state.key(keyId);
    return record === null || isHeld(record.store) ? [] : [{ did, ref: record.ref }];
  });
}
