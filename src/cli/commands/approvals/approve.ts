import { answerCommand } from '../../approvals/answer.js';

export const command = answerCommand('approve', {
  summary: 'Let a request run once',
  examples: [
    { run: 'aip approvals approve 4f0c2d7e9b8a4f0c2d7e9b8a4f0c2d7e', why: 'shows what it is, and asks' },
    { run: 'aip approvals approve request.json -o approval.json', why: 'where the verifier is elsewhere' },
  ],
});
