import { answer, answerOptions, type AnswerFlags } from '../../approvals/answer.js';
import type { CommandSpec } from '../../spec.js';

export const command: CommandSpec<AnswerFlags> = {
  path: ['approvals', 'deny'],
  summary: 'End a request by a signed denial',
  args: [
    {
      name: 'request',
      description: 'id of a request kept here or at the mesh, or its file (- for stdin)',
      values: 'file',
    },
  ],
  options: answerOptions('deny'),
  examples: [
    { run: 'aip approvals deny 4f0c2d7e9b8a4f0c2d7e9b8a4f0c2d7e --reason "wrong customer"', why: 'ends the request' },
  ],
  exits: {
    3: 'there is no such request',
    5: 'the mesh was not heard, or takes no answer of this key',
    4: "no approver's key is here, or it is locked or refused",
  },
  touches: ['files', 'state', 'keychain', 'network'],
  topics: ['approvals'],

  run: ({ args, options }, cli) => answer(args[0]!, 'deny', options, cli),
};
