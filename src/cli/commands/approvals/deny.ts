import { answerCommand } from '../../approvals/answer.js';

export const command = answerCommand('deny', {
  summary: 'End a request by a signed denial',
  examples: [
    { run: 'aip approvals deny 4f0c2d7e9b8a4f0c2d7e9b8a4f0c2d7e --reason "wrong customer"', why: 'ends the request' },
  ],
});
