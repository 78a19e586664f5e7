/**
 * A server that stops (SIGSTOP) between reading and writing: `<url of the store> <id of its command> <the judgement at which it stops, from
 * 1>`. It says what became of its command.
 */
import { PostgresMeshStore } from '../../../../src/adapters/postgres/mesh/store.js';
import { commandDigest, type Command } from '../../../../src/mesh/command.js';
import { StoreTrouble } from '../../../../src/mesh/log/store.js';
import { judgeWith, type Proposal } from '../../../../src/mesh/ruling.js';
import { connectWithUrl } from '../../state/cluster.js';

const [url = '', cmdId = '', stopsAt = '1'] = process.argv.slice(2);
const command: Command = {
  ...{ cmdId, action: 'revoke', subject: 'did:web:acme.com:agents:frozen', reason: 'r', by: null, durationMs: null },
  ...{ version: null, logId: null, expiresAt: null },
};
const proposal: Proposal = {
  ...{ command, digest: commandDigest(command) },
  ...{ operator: { key_id: 'k', signed: null }, nonce: null },
};
const store = await PostgresMeshStore.open({
  connect: (withinMs) => connectWithUrl(url, withinMs),
  newLogId: () => '',
  node: 'frozen',
});
const judge = judgeWith(Date.parse('2026-02-18T14:23:45.000Z'), () => '00'.repeat(64));
let judged = 0;
const append = () =>
  store.append([proposal], (...asked) => {
    judged++;
    if (judged < Number(stopsAt)) {
      // What another server would write in this moment: the head is not the one that was read.
      process.stdout.write('judged\n');
      process.kill(process.pid, 'SIGSTOP');
    } else if (judged === Number(stopsAt)) {
      process.stdout.write('stopped\n');
      process.kill(process.pid, 'SIGSTOP');
    }
    return judge(...asked);
  });
for (let i = 0; ; i++) {
  try {
    const outcome = (await append())[0]!;
    process.stdout.write(`${JSON.stringify(outcome.kind === 'done' ? outcome.answer.seq : outcome)}\n`);
    break;
  } catch (error) {
    if (!(error instanceof StoreTrouble) || i > 100) throw error;
    process.stdout.write(`${error.kind}\n`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
await store.close();
