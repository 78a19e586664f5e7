import { formatPublicKey } from '../../../protocol/identity/keys.js';
import { formatSeconds } from '../../../protocol/time.js';
import { table } from '../../render/terminal/table.js';
import type { CommandSpec } from '../../spec.js';
import { localState } from '../../../workspace/state.js';

export const command: CommandSpec = {
  path: ['principal', 'list'],
  summary: 'List the principals whose passports this machine believes',
  examples: [{ run: 'aip principal list', why: 'who is pinned here' }],
  touches: ['state'],
  onlyReads: true,
  topics: ['passports'],

  async run(_, cli) {
    const state = await localState(cli.workspace);
    const pins = state.pins().map((pin) => ({
      principal: pin.did,
      key_id: pin.keyId,
      public_key: formatPublicKey(pin.publicKey),
      pinned_at: formatSeconds(pin.pinnedAt),
      source: pin.source,
      key_store: state.key(pin.keyId)?.store ?? null,
    }));
    if (cli.globals.json) cli.json(pins);
    else if (pins.length === 0)
      cli.note('No principal is pinned here.\nnext: aip principal add <did> --public-key <key>');
    else {
      const columns = [
        { title: 'principal' },
        { title: 'public key' },
        { title: 'pinned', optional: true },
        { title: 'source', optional: true },
        { title: 'store' },
      ];
      const rows = pins.map((pin) => [pin.principal, pin.public_key, pin.pinned_at, pin.source, pin.key_store ?? '-']);
      cli.out(table(columns, rows, { width: cli.width, paint: cli.paint }));
    }
    return 0;
  },
};
