import { carryOut, ORDER_EXITS, ORDER_OPTIONS, UNSEEN_OPTION, type OrderFlags } from '../mesh/orders/order.js';
import { SUBJECT_ARG } from '../mesh/orders/subject.js';
import { REASON_OPTION, requiredReason } from '../mesh/orders/reason.js';
import type { CommandSpec } from '../spec.js';

interface Options extends OrderFlags {
  readonly reason?: string;
}

export const command: CommandSpec<Options> = {
  path: ['revoke'],
  summary: 'Stop an agent everywhere, until it is reinstated',
  detail: 'Returns when the mesh has it on disk, and says how many verifiers have applied it, after how many ms.',
  args: [SUBJECT_ARG],
  options: [{ title: 'Why', options: [REASON_OPTION, UNSEEN_OPTION] }, ORDER_OPTIONS],
  examples: [
    { run: 'aip revoke support-agent-v1 --reason "key leaked"', why: 'asks first' },
    { run: 'aip revoke did:web:acme.com --reason breach --yes', why: 'all agents of a principal' },
    { run: 'aip revoke --everyone --reason drill --dry-run', why: 'every agent of the mesh' },
  ],
  exits: ORDER_EXITS,
  onlyDenies: true,
  touches: ['network', 'state', 'keychain'],
  topics: ['incident', 'mesh'],

  run: ({ args, options }, cli) =>
    carryOut(cli, args[0], options, {
      action: 'revoke',
      reason: () => requiredReason(cli, options.reason),
      durationMs: null,
    }),
};
