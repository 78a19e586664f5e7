/**
 * A mesh server as a process of its own: `node serve.mjs <folder>`. It says its port on stdout once it is ready, ends cleanly
 * with its stdin, and ends with the failure's code and message when its store fails.
 */
import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { listen } from '../../../src/adapters/mesh/server/http-server.js';
import { signerOf, verifyOperator } from '../../../src/adapters/mesh/mesh-key.js';
import { SqliteMeshStore } from '../../../src/adapters/mesh/sqlite/store.js';
import { Failure } from '../../../src/app/failure.js';
import { MeshServer } from '../../../src/mesh/server/mesh-server.js';
import { adminKey, MESH_SEED } from './keys.js';

const [folder] = process.argv.slice(2) as [string];

try {
  const store = new SqliteMeshStore(join(folder, 'mesh.db'), () => randomBytes(16).toString('hex'));
  const admin = adminKey();
  if ((await store.keys.find(admin.record.keyId)) === null) await store.keys.add(admin.record);
  const mesh = await MeshServer.start({
    store,
    clock: { wall: Date.now, up: () => performance.now() },
    randomHex: (n) => randomBytes(n).toString('hex'),
    ...signerOf(MESH_SEED),
    verify: verifyOperator,
    soon: setImmediate,
  });
  const listening = await listen(mesh, {
    host: '127.0.0.1',
    port: 0,
    tls: null,
    onBug: (error) => {
      throw error;
    },
  });
  process.stdin.resume().on('end', () => void listening.close());
  writeSync(1, `${listening.port}\n`);
  const failure = await listening.ended;
  if (failure !== null) throw failure;
  await store.close();
  process.exit(0);
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  writeSync(2, `${error.message} | ${error.hint}\n`);
  process.exit(error.exitCode);
}
