/** Passport folders of the Python package: `passport.json`, `public.pem`, `private.pem`. */
import { join, resolve } from 'node:path';
import { createPassport, type IssuedPassport } from '../../app/passports/issue.js';
import { Failure } from '../../app/failure.js';
import { openKey } from '../../app/keys/keyring.js';
import { nativeTermsOf, speakerOf, unkeptMembers } from '../../protocol/aip1/speaker.js';
import {
  readReferencePassport,
  referencePassportFiles,
  type ReferencePassport,
} from '../../protocol/aip1/passport-folder.js';
import { parseAgentId, principalId } from '../../protocol/identity/did.js';
import { publicKeyOf } from '../../protocol/ed25519/sign.js';
import { toHex } from '../../protocol/hex.js';
import { JsonError } from '../../protocol/json/parse.js';
import type { Passport } from '../../protocol/passport.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { looksLikeKeyAddress } from '../../protocol/identity/key-address.js';
import { newKeyPlace, principalKeyPlace, type KeyPlaceFlags } from '../input/key-place.js';
import { keyPlaceNamed } from '../intents/signing.js';
import { passportTarget } from '../passports/out.js';
import { createFile, fileExists, FORCE, readDocument, replaceFile } from '../../workspace/files.js';
import { issuing, keyring, pemFiles } from '../../workspace/keys.js';
import { DEFAULT_KEY_STORE } from '../../workspace/key-stores.js';
import { importedPassphrase, wrongOfImported, type ImportedPassphraseFlags } from '../input/options.js';
import type { Setting } from '../setting.js';
import type { Output } from '../output.js';
import type { Surroundings } from '../io.js';

/** What these functions need of a command. */
type Scene = Setting & Output & Surroundings;

export async function isReferenceFolder(path: string): Promise<boolean> {
  return path !== '-' && fileExists(join(path, 'passport.json'));
}

export interface ImportFlags extends KeyPlaceFlags, ImportedPassphraseFlags {
  /** Where the folder's own list allows everything. */
  readonly action: readonly string[];
  readonly out?: string;
  readonly force?: boolean;
}

/**
 * Takes an agent of the reference over: its private key into a key store, and its terms into a passport that the principal on this
 * machine signs, because the folder is unsigned.
 */
export async function importReference(folder: string, options: ImportFlags, cli: Scene): Promise<IssuedPassport> {
  const reference = await referenceIn(folder);
  const { agentId, principal, actions, deniedActions, constraints } = termsOf(reference, options.action, folder);
  const agent = parseAgentId(agentId);
  if (agent === null || principalId(agent.domain) !== principal) {
    throw new Failure('USAGE', `${agentId} under ${principal} is no agent id with the principal of its domain.`, {
      hint: 'did:web:<domain>:agents:<name> under did:web:<domain>',
    });
  }
  const keys = await pemFiles(cli.workspace, importedPassphrase(options));
  const seed = await keys.read(join(folder, 'private.pem')).catch((error: unknown) => {
    throw wrongOfImported(error, options);
  });
  if (seed === null) {
    throw new Failure('NOT_FOUND', `${folder} holds no private.pem, so its agent lives elsewhere.`, {
      hint: `verify what it signs: aip intent verify <file> --public-key ${join(folder, 'public.pem')}`,
    });
  }
  if (toHex(publicKeyOf(seed)) !== toHex(reference.publicKey))
    throw new Failure('UNREADABLE', `private.pem in ${folder} is not the key that passport.json names.`);
  const configured = (await cli.config()).get('key_store') ?? DEFAULT_KEY_STORE;
  const keyStore = newKeyPlace(options, configured);
  if (looksLikeKeyAddress(keyStore))
    throw new Failure('USAGE', 'The key of the folder goes into a key store of this machine.', {
      hint: 'give --key-store',
    });
  const issued = await createPassport(await issuing(cli.workspace, options, options.force), {
    name: agent.name,
    domain: agent.domain,
    actions,
    deniedActions,
    constraints,
    metadata: {},
    expiresInMs: null,
    path: passportTarget(options.out ?? `${agent.name}.passport.json`, cli),
    keyStore,
    seed,
    principalKeyStore: principalKeyPlace(keyStore, options, null, cli.io.env),
  });
  const unkept = unkeptMembers(reference);
  if (unkept.length > 0) {
    const what = unkept.join(', ');
    cli.warn(
      `A passport here has no place for ${what}: what \`aip\` signs for this agent says nothing of it.`,
      'left-behind',
    );
  }
  return issued;
}

async function referenceIn(folder: string): Promise<ReferencePassport> {
  const [json, pem] = await Promise.all(
    ['passport.json', 'public.pem'].map((name) => readDocument(join(folder, name))),
  );
  if (json === null || json === undefined) throw new Failure('NOT_FOUND', `There is no passport.json in ${folder}.`);
  try {
    return readReferencePassport(json, pem === null || pem === undefined ? null : Buffer.from(pem).toString('latin1'));
  } catch (error) {
    if (!(error instanceof ShapeError) && !(error instanceof JsonError)) throw error;
    throw new Failure('UNREADABLE', `${folder} holds no passport of AIP-1: ${error.reason}.`);
  }
}

function termsOf(reference: ReferencePassport, actions: readonly string[], folder: string) {
  try {
    return nativeTermsOf(reference, actions);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new Failure('USAGE', `The passport in ${folder} allows every action.`, {
      hint: 'name those it should allow with --action',
    });
  }
}

export interface ExportFlags extends KeyPlaceFlags {
  readonly out?: string;
  readonly force?: boolean;
  readonly withPrivateKey?: boolean;
  readonly unencrypted?: boolean;
}

export interface ExportedFolder {
  readonly folder: string;
  readonly files: readonly string[];
  readonly private_key: 'none' | 'encrypted' | 'unencrypted';
}

/** Writes the folder that the reference loads. */
export async function exportReference(passport: Passport, options: ExportFlags, cli: Scene): Promise<ExportedFolder> {
  const { currentKey, agent } = passport;
  const folder = options.out ?? agent.name;
  const replace = options.force === true;
  const written: string[] = [];
  const files = Object.entries(referencePassportFiles(speakerOf(passport), currentKey.key.publicKey));
  for (const [name, text] of files) {
    const path = join(folder, name);
    await (replace ? replaceFile : createFile)(resolve(cli.io.cwd, path), text, FORCE);
    written.push(path);
  }
  if (options.withPrivateKey !== true) return { folder, files: written, private_key: 'none' };
  const ring = await keyring(cli.workspace, options);
  const { keyId, key } = currentKey;
  const held = await openKey(ring, keyId, key.publicKey, keyPlaceNamed(options, ring.state.key(keyId) !== null, cli));
  const encrypted = options.unencrypted !== true;
  if (held.seed === null)
    throw new Failure('USAGE', `The key ${keyId} never comes here, so it cannot be written to a file.`, {
      hint: 'leave out --with-private-key',
    });
  const path = join(folder, 'private.pem');
  await (await pemFiles(cli.workspace, options)).write(resolve(cli.io.cwd, path), held.seed, { encrypted, replace });
  return { folder, files: [...written, path], private_key: encrypted ? 'encrypted' : 'unencrypted' };
}
