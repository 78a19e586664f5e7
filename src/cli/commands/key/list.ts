import { knownKeys } from '../../../app/keys/known-keys.js';
import { keyFacts } from '../../keys/known.js';
import { table } from '../../render/terminal/table.js';
import type { CommandSpec } from '../../spec.js';
import { localState } from '../../../workspace/state.js';

interface Options {
  readonly all: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['key', 'list'],
  summary: 'List the private keys that this machine holds, and where',
  detail: 'No key is opened.',
  options: [
    { title: 'Flags', options: [{ flags: '--all', description: 'also public keys whose private half is elsewhere' }] },
  ],
  examples: [
    { run: 'aip key list', why: 'what can sign from here' },
    { run: 'aip key list --all --json', why: 'every key that is known here' },
  ],
  touches: ['state'],
  topics: ['keys'],

  async run({ options }, cli) {
    const keys = knownKeys(await localState(cli.workspace)).filter(({ record }) => options.all || record !== null);
    if (cli.globals.json) {
      cli.json(keys.map(keyFacts));
      return 0;
    }
    if (keys.length === 0) {
      cli.note('No private key is held here.\nnext: aip init, or: aip key import <file>');
      return 0;
    }
    const columns = [
      { title: 'key', flexible: true, keepsEnd: true },
      { title: 'of' },
      { title: 'store' },
      { title: 'public key', flexible: true, optional: true },
    ];
    const rows = keys.map((key) => {
      const facts = keyFacts(key);
      return [facts.key_id, facts.of, facts.key_store ?? 'elsewhere', facts.public_key ?? '-'];
    });
    cli.out(table(columns, rows, { width: cli.width, paint: cli.paint }));
    return 0;
  },
};
