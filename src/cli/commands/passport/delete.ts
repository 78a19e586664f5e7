import { Failure } from '../../../app/failure.js';
import { findPassport } from '../../../app/passports/find.js';
import { deleteKey, isElsewhere, isHeld } from '../../../app/keys/keyring.js';
import { isReplaced } from '../../../app/keys/known-keys.js';
import type { KeyRecord } from '../../../app/ports/state.js';
import { keyNumber } from '../../../protocol/identity/did.js';
import { PASSPHRASE_OPTIONS, YES_OPTION, type PassphraseFlags } from '../../input/options.js';
import { clean } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';
import { readDocument } from '../../../workspace/files.js';
import { keyring } from '../../../workspace/keys.js';

interface Options extends PassphraseFlags {
  readonly yes?: boolean;
  readonly keepKey?: boolean;
}

type Ring = Awaited<ReturnType<typeof keyring>>;

export const command: CommandSpec<Options> = {
  path: ['passport', 'delete'],
  summary: "Forget a passport and destroy the agent's private keys on this machine",
  detail: 'The passport file and the verification log stay. To stop an agent everywhere, revoke it instead.',
  args: [{ name: 'agent', description: 'agent id or name of a known passport', values: 'agent' }],
  options: [
    {
      title: 'What goes',
      options: [
        { flags: '--keep-key', description: 'keep its private keys, until a later delete' },
        YES_OPTION,
        ...PASSPHRASE_OPTIONS.map((option) => ({ ...option, hidden: true })),
      ],
    },
  ],
  examples: [{ run: 'aip passport delete support-agent-v1', why: 'asks for the name first' }],
  exits: { 3: 'the passport is not known', 4: 'the key store is missing, locked or refuses' },
  touches: ['state', 'keychain'],
  topics: ['passports', 'keys'],

  async run({ args, options }, cli) {
    const ring = await keyring(cli.workspace, options);
    const { passport } = await findPassport({ state: ring.state, readFile: readDocument }, args[0]!);
    const { agent } = passport;
    // Also those that a rotation or renewal has dropped from the passport since: they would stay for good, unnamed.
    const numberOf = ({ keyId }: KeyRecord): number => keyNumber(agent.id, keyId) ?? -1;
    const own = ring.state.keys().filter((record) => numberOf(record) >= 0);
    const going = options.keepKey === true ? [] : own.sort((a, b) => numberOf(b) - numberOf(a));
    if (options.yes !== true) {
      const numbers = going.map(({ keyId }) => keyId.slice(agent.id.length + 1)).join(', ');
      const what = numbers === '' ? 'forget its passport' : `destroy ${numbers}`;
      const typed = await cli.ask.input({
        message: `Type the agent's name to ${what} (${agent.name})`,
        flag: '--yes',
      });
      if (typed !== agent.name) throw new Failure('USAGE', 'The name does not match; nothing was changed.');
    }
    const deleted: string[] = [];
    const missing: { key_id: string; key_store: KeyRecord['store']; key_ref: string }[] = [];
    for (const record of going) {
      const { keyId } = record;
      // Only what was there has been destroyed: a key file that was moved still signs.
      if (await destroyed(ring, record).catch(besides(deleted))) deleted.push(keyId);
      else if (await isElsewhere(ring, record))
        cli.warn(`${keyId} stays in another home's folder: ${record.ref}; it still signs`, 'key_stays');
      else if (isHeld(record.store)) missing.push({ key_id: keyId, key_store: record.store, key_ref: record.ref });
      else cli.warn(`${keyId} stays where it lives: ${record.ref}`, 'key_stays');
      ring.state.forgetKey(keyId);
    }
    ring.state.forgetPassport(agent.id);
    if (cli.globals.json) cli.json({ agent_id: agent.id, deleted_keys: deleted, keys_not_found: missing });
    else {
      cli.out(`${cli.paint.green('forgotten')} ${clean(agent.id)}`);
      for (const keyId of deleted) cli.out(`  destroyed ${clean(keyId)}`);
    }
    for (const { key_id, key_store, key_ref } of missing)
      cli.warn(`${key_id}: not found at ${key_store}: ${key_ref}; if it was moved, it still signs`, 'key_not_found');
    if (missing.length > 0) cli.note(`to deny it everywhere: aip revoke ${agent.id} --reason <reason>`);
    return 0;
  },
};

/** False where the key is not there, and where the file that it was put into holds another agent's by now. */
async function destroyed(ring: Ring, record: KeyRecord): Promise<boolean> {
  return !(await isReplaced(ring, record)) && (await deleteKey(ring, record));
}

/** For `.catch`: says which keys are gone, where the next one cannot be destroyed. */
function besides(deleted: readonly string[]): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof Failure) || deleted.length === 0) throw error;
    const { code, message, hint, retryable } = error;
    const gone = `${message} Destroyed before that: ${deleted.join(', ')}; the passport is still known.`;
    throw new Failure(code, gone, { ...(hint === null ? {} : { hint }), retryable, cause: error });
  };
}
