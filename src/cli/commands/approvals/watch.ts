import { reportOf, requestsHere, shownRequest } from '../../approvals/requests.js';
import type { CommandSpec } from '../../spec.js';
import { pause } from '../../../workspace/files.js';

/** How often the state is looked at, in ms. */
const POLL_MS = 500;

export const command: CommandSpec = {
  path: ['approvals', 'watch'],
  summary: 'Show requests as they come',
  detail: 'With --json one line for each request and each change of its status.',
  examples: [{ run: 'aip approvals watch', why: 'in a terminal of the one who answers' }],
  touches: ['state'],
  onlyReads: true,
  topics: ['approvals'],

  async run(_, cli) {
    const known = new Map<string, string>();
    for (let first = true; !cli.io.signal.aborted; first = false) {
      const now = cli.io.now();
      for (const record of await requestsHere(cli, 'all')) {
        const report = reportOf(record, now);
        const sign = `${report.status} ${report.approved_by.join(' ')}`;
        if (known.get(record.id) === sign) continue;
        known.set(record.id, sign);
        // What was over before is no news.
        if (first && report.status !== 'pending' && report.status !== 'approved') continue;
        await cli.stream(cli.globals.json ? `${JSON.stringify(report)}\n` : `${shownRequest(report)}\n\n`);
      }
      await pause(POLL_MS, cli.io.signal);
    }
    return 0;
  },
};
