import { isRequestId } from '../../../protocol/approvals/approval.js';
import { requireSigned } from '../../../app/approvals/answer.js';
import {
  broughtRequest,
  reportOf,
  requestFound,
  requestBytes,
  requestIn,
  shownRequest,
  type FoundRequest,
} from '../../approvals/requests.js';
import type { Cli } from '../../cli.js';
import { flowed } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';

export const command: CommandSpec = {
  path: ['approvals', 'show'],
  summary: 'Show exactly what a person is asked for',
  detail: 'Every param is shown, nothing cut, and characters that may be taken for others are marked.',
  args: [
    {
      name: 'request',
      description: 'id of a request kept here or at the mesh, or its file (- for stdin)',
      values: 'request',
    },
  ],
  examples: [
    { run: 'aip approvals show 4f0c2d7e9b8a4f0c2d7e9b8a4f0c2d7e', why: 'before you answer' },
    {
      run: 'aip approvals show 4f0c2d7e9b8a4f0c2d7e9b8a4f0c2d7e --json',
      why: 'its member request is the file for a person elsewhere',
    },
  ],
  exits: {
    3: 'there is no such request, here or at the mesh, and no such file',
    5: 'the mesh or the database of the fleet was not heard',
  },
  touches: ['files', 'state', 'network'],
  onlyReads: true,
  topics: ['approvals'],

  async run({ args }, cli) {
    const found = await requestMeant(args[0]!, cli);
    const { record } = found;
    const report = reportOf(found, cli.io.now());
    if (cli.globals.json) {
      const answers = record.answers.map(({ document }) => document);
      cli.json({ ...report, request: JSON.parse(record.text) as object, answers });
    } else cli.out(flowed(shownRequest(report), cli.width));
    return 0;
  },
};

async function requestMeant(what: string, cli: Cli): Promise<FoundRequest> {
  if (isRequestId(what)) return requestFound(what, cli);
  const request = requestIn(await requestBytes(what, cli), what === '-' ? 'stdin' : what);
  requireSigned(request);
  return broughtRequest(request);
}
