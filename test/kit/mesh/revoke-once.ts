/** One revocation by a process that trusts what NODE_EXTRA_CA_CERTS names: `node revoke-once.mjs <url> <key>`; prints the status. */
import { writeSync } from 'node:fs';
import { MeshHttp, Unreachable } from '../../../src/adapters/http/mesh-client.js';

const [url, key] = process.argv.slice(2) as [string, string];
const http = new MeshHttp(url, key);
const order = { cmd_id: 'by-another-process', action: 'revoke', agent_id: 'did:web:acme.com:agents:tls', reason: 'r' };
const body = Buffer.from(JSON.stringify(order));
try {
  const target = '/v1/mesh/commands';
  const { status } = await http.ask({ method: 'POST', target, body, timeoutMs: 10_000, maxBytes: 65_536 });
  writeSync(1, String(status));
} catch (error) {
  if (!(error instanceof Unreachable)) throw error;
  writeSync(1, error.message);
}
http.close();
