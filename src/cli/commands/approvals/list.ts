import { reportOf, requestsHere } from '../../approvals/requests.js';
import { clean } from '../../render/terminal/text.js';
import { table } from '../../render/terminal/table.js';
import type { CommandSpec } from '../../spec.js';

export const command: CommandSpec<{ readonly all?: boolean }> = {
  path: ['approvals', 'list'],
  summary: 'List the requests that wait for a person',
  options: [{ title: 'Flags', options: [{ flags: '--all', description: 'those that are over as well' }] }],
  examples: [{ run: 'aip approvals list', why: 'what agents wait for' }],
  touches: ['state'],
  onlyReads: true,
  topics: ['approvals'],

  async run({ options }, cli) {
    const now = cli.io.now();
    const records = await requestsHere(cli, options.all === true ? 'all' : 'open');
    const reports = records.map((record) => reportOf(record, now));
    if (cli.globals.json) cli.json(reports);
    else if (reports.length === 0) cli.note('No request for approval waits here.');
    else {
      const columns = ['request', 'status', 'agent', 'action', 'expires'].map((title) => ({ title }));
      const rows = reports.map((each) =>
        [each.request_id, each.status, each.agent_id, each.action, each.expires_at].map(clean),
      );
      cli.out(table(columns, rows, { width: cli.width, paint: cli.paint }));
      cli.note('next: aip approvals show <id>');
    }
    return 0;
  },
};
