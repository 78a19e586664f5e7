/** A server of a mesh on PostgreSQL as a process of its own: `<data folder> <url of the store> <port>`. It says where it is on stdout. */
import { serveMesh } from '../../../../src/workspace/mesh/serving.js';
import { SYSTEM } from '../../../../src/workspace/world.js';

const [data = '', store = '', port = '0'] = process.argv.slice(2);
const serving = await serveMesh(
  { ...SYSTEM, env: {}, userHome: '' },
  {
    ...{ data, store, host: '127.0.0.1', port: Number(port), tls: null },
    ...{ requireSignedCommands: false, operatorKey: null },
    onBug: (error) => {
      throw error;
    },
  },
);
const { url, publicKey, newAdminKey } = serving;
process.stdout.write(`${JSON.stringify({ url, publicKey, newAdminKey })}\n`);
// It ends with who started it.
process.stdin.resume().on('end', () => process.exit(0));
await serving.failed;
