import { carryOut, ORDER_EXITS, ORDER_OPTIONS, type OrderFlags } from '../mesh/orders/order.js';
import { REASON_OPTION } from '../mesh/orders/reason.js';
import { SUBJECT_ARG } from '../mesh/orders/subject.js';
import type { CommandSpec } from '../spec.js';

interface Options extends OrderFlags {
  readonly reason?: string;
}

export const command: CommandSpec<Options> = {
  path: ['reinstate'],
  summary: 'Let an agent act again after it was revoked or suspended',
  detail: 'Takes the role admin. Refused when the standing changes between looking and doing.',
  args: [SUBJECT_ARG],
  options: [
    { title: 'Why', options: [{ ...REASON_OPTION, description: 'why it may act again; kept in the history' }] },
    ORDER_OPTIONS,
  ],
  examples: [{ run: 'aip reinstate support-agent-v1 --reason "key rotated"', why: 'asks first' }],
  exits: ORDER_EXITS,
  touches: ['network', 'state', 'keychain'],
  topics: ['incident', 'mesh'],

  run: ({ args, options }, cli) =>
    carryOut(cli, args[0], options, {
      action: 'reinstate',
      reason: () => Promise.resolve(options.reason ?? null),
      durationMs: null,
    }),
};
