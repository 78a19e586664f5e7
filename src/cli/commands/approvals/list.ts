import { reportOf, requestsFound } from '../../approvals/requests.js';
import { clean } from '../../render/terminal/text.js';
import { table } from '../../render/terminal/table.js';
import type { CommandSpec } from '../../spec.js';

export const command: CommandSpec<{ readonly all?: boolean }> = {
  path: ['approvals', 'list'],
  summary: 'List the requests that wait for a person',
  detail: 'Those of this machine, and of the mesh those that its API key may read (role approver, operator or admin).',
  options: [{ title: 'Flags', options: [{ flags: '--all', description: 'those that are over as well' }] }],
  examples: [{ run: 'aip approvals list', why: 'what agents wait for' }],
  exits: { 5: 'the mesh or the database of the fleet was not heard: what is here was printed' },
  touches: ['state', 'network'],
  onlyReads: true,
  topics: ['approvals'],

  async run({ options }, cli) {
    const now = cli.io.now();
    const { requests, trouble } = await requestsFound(cli, options.all === true ? 'all' : 'open');
    const reports = requests.map((found) => reportOf(found, now));
    if (cli.globals.json) cli.json(reports);
    else if (reports.length === 0) cli.note('No request for approval waits here.');
    else {
      const columns = [
        { title: 'request' },
        { title: 'status' },
        { title: 'agent', flexible: true, keepsEnd: true },
        { title: 'action', flexible: true },
        { title: 'expires', optional: true },
        { title: 'from', optional: true },
      ];
      const rows = reports.map((each) =>
        [each.request_id, each.status, each.agent_id, each.action, each.expires_at, each.source].map(clean),
      );
      cli.out(table(columns, rows, { width: cli.width, paint: cli.paint }));
      cli.note(`next: aip approvals show ${reports.length === 1 ? clean(reports[0]!.request_id) : '<id>'}`);
    }
    // What is here was shown; that it is not all must not be missed.
    if (trouble !== null) throw trouble;
    return 0;
  },
};
