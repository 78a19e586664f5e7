import { reportOf, requestsFound, shownRequest } from '../../approvals/requests.js';
import type { SeenRequests } from '../../../app/mesh/approvals.js';
import { flowed, safeJson } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';
import { pause } from '../../../workspace/files.js';

/** How often the state is looked at, in ms. */
const POLL_MS = 500;

export const command: CommandSpec = {
  path: ['approvals', 'watch'],
  summary: 'Show requests as they come',
  detail: 'With --json one line for each request and each change of its status.',
  examples: [{ run: 'aip approvals watch', why: 'in a terminal of the one who answers' }],
  touches: ['state', 'network'],
  onlyReads: true,
  topics: ['approvals'],

  async run(_, cli) {
    const known = new Map<string, string>();
    // A mesh that is not heard is named once, until it is heard again.
    let silent = false;
    const seen: SeenRequests = new Map();
    for (let first = true; cli.io.interruption.reason === null; first = false) {
      const now = cli.io.now();
      const { requests, trouble } = await requestsFound(cli, 'all', seen);
      if (trouble !== null && !silent) cli.warn(trouble.message, 'approval_mesh');
      silent = trouble !== null;
      for (const found of requests) {
        const report = reportOf(found, now);
        const sign = `${report.status} ${report.approved_by.join(' ')}`;
        if (known.get(report.request_id) === sign) continue;
        known.set(report.request_id, sign);
        // What was over before is no news.
        if (first && report.status !== 'pending' && report.status !== 'approved') continue;
        await cli.stream(cli.globals.json ? `${safeJson(report)}\n` : `${flowed(shownRequest(report), cli.width)}\n\n`);
      }
      await pause(POLL_MS, cli.io.interruption.signal);
    }
    return 0;
  },
};
