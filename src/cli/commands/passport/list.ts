import { passportIn, type Passport } from '../../../protocol/passport.js';
import { issuerProblem } from '../../../verify/checks/issuer.js';
import { shortName } from '../../../app/passports/find.js';
import { issuerDenial } from '../../../app/passports/judge.js';
import { pinnedKeys } from '../../../app/keys/principals.js';
import type { KnownPassport, State } from '../../../app/ports/state.js';
import { table } from '../../render/terminal/table.js';
import type { CommandSpec } from '../../spec.js';
import { localState } from '../../../workspace/state.js';

export const command: CommandSpec = {
  path: ['passport', 'list'],
  summary: 'List the passports this machine knows',
  examples: [
    { run: 'aip passport list', why: 'all known agents' },
    { run: "aip passport list --json | jq -r '.[].agent_id'", why: 'their ids, for a script' },
  ],
  touches: ['state'],
  onlyReads: true,
  topics: ['passports'],

  async run(_, cli) {
    const state = await localState(cli.workspace);
    const rows = state.passports().map((known) => rowOf(known, state, cli.io.now()));
    if (cli.globals.json) {
      cli.json(rows);
      return 0;
    }
    if (rows.length === 0) {
      cli.note('No passports are known here.\nnext: aip passport create <name> --domain <domain> --action <name>');
      if ((await cli.config()).get('mesh.url') !== null)
        cli.note(
          'or, for those that the mesh carries: aip principal add <did> --public-key <key>, and they come by themselves',
        );
      return 0;
    }
    const colour = (status: string): string =>
      status.trim() === 'valid' ? cli.paint.green(status) : cli.paint.red(status);
    const columns = [
      { title: 'agent', flexible: true },
      { title: 'status', colour },
      { title: 'serial', right: true },
      { title: 'actions', flexible: true },
      { title: 'expires', optional: true },
      { title: 'file', flexible: true, keepsEnd: true, optional: true },
    ];
    const cells = rows.map((row) => [
      shortName(row.agent_id),
      row.status,
      row.serial === null ? '-' : String(row.serial),
      row.actions.join(' '),
      row.expires_at ?? 'never',
      row.passport ?? '-',
    ]);
    cli.out(table(columns, cells, { width: cli.width, paint: cli.paint }));
    return 0;
  },
};

function rowOf(known: KnownPassport, state: State, now: number) {
  const passport = passportIn(known.text);
  return {
    agent_id: known.agentId,
    agent_name: known.name,
    status: passport === null ? 'invalid' : statusOf(passport, state, now),
    serial: passport?.serial ?? null,
    key_id: passport?.document.key_id ?? null,
    actions: passport === null ? [] : [...passport.actions.keys()],
    issued_at: passport?.document.issued_at ?? null,
    expires_at: passport?.document.expires_at ?? null,
    passport: known.path,
    key_store: passport === null ? null : (state.key(passport.document.key_id)?.store ?? null),
  };
}

function statusOf(passport: Passport, state: State, now: number): string {
  const pins = pinnedKeys(state.pins(passport.document.principal));
  if (issuerProblem(passport, pins) !== null) return 'unpinned';
  if (issuerDenial(state, passport, pins, now) !== null) return 'denied';
  return passport.expiresAt !== null && now >= passport.expiresAt ? 'expired' : 'valid';
}
