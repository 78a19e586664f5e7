import { Failure } from '../../app/failure.js';
import { MAX_SUSPENSION_MS } from '../../mesh/limits.js';
import { carryOut, ORDER_EXITS, ORDER_OPTIONS, UNSEEN_OPTION, type OrderFlags } from '../mesh/orders/order.js';
import { SUBJECT_ARG } from '../mesh/orders/subject.js';
import { REASON_OPTION, requiredReason } from '../mesh/orders/reason.js';
import type { CommandSpec } from '../spec.js';
import { durationMs } from '../input/values.js';

interface Options extends OrderFlags {
  readonly reason?: string;
  /** ms. */
  readonly for?: number;
}

export const command: CommandSpec<Options> = {
  path: ['suspend'],
  summary: 'Stop an agent everywhere for a time',
  detail: 'It ends by itself. A suspension never shortens one that stands, nor weakens a revocation.',
  args: [SUBJECT_ARG],
  options: [
    {
      title: 'How long, and why',
      options: [
        { flags: '--for <duration>', description: 'such as 30m, at most 366d', value: period },
        REASON_OPTION,
        UNSEEN_OPTION,
      ],
    },
    ORDER_OPTIONS,
  ],
  examples: [{ run: 'aip suspend support-agent-v1 --for 30m --reason "odd refunds"', why: 'while somebody looks' }],
  exits: ORDER_EXITS,
  onlyDenies: true,
  touches: ['network', 'state', 'keychain'],
  topics: ['incident', 'mesh'],

  async run({ args, options }, cli) {
    if (options.for === undefined)
      throw new Failure('USAGE', 'How long is not said.', { hint: 'give --for 30m; to stop it for good: aip revoke' });
    const reason = (): Promise<string> => requiredReason(cli, options.reason);
    return carryOut(cli, args[0], options, { action: 'suspend', reason, durationMs: options.for });
  },
};

function period(text: string): number {
  const ms = Math.ceil(durationMs(text) / 1000) * 1000;
  if (ms < 1000 || ms > MAX_SUSPENSION_MS) throw new Error('Expected a duration from 1s to 366d.');
  return ms;
}
