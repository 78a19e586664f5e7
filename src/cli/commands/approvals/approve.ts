import { answer, answerOptions, type AnswerFlags } from '../../approvals/answer.js';
import type { CommandSpec } from '../../spec.js';

export const command: CommandSpec<AnswerFlags> = {
  path: ['approvals', 'approve'],
  summary: 'Let a request run once',
  args: [
    {
      name: 'request',
      description: 'id of a request kept here or at the mesh, or its file (- for stdin)',
      values: 'file',
    },
  ],
  options: answerOptions('approve'),
  examples: [
    { run: 'aip approvals approve 4f0c2d7e9b8a4f0c2d7e9b8a4f0c2d7e', why: 'shows what it is, and asks' },
    { run: 'aip approvals approve request.json -o approval.json', why: 'where the verifier is elsewhere' },
  ],
  exits: {
    3: 'there is no such request',
    5: 'the mesh was not heard, or takes no answer of this key',
    4: "no approver's key is here, or it is locked or refused",
  },
  touches: ['files', 'state', 'keychain', 'network'],
  topics: ['approvals'],

  run: ({ args, options }, cli) => answer(args[0]!, 'approve', options, cli),
};
