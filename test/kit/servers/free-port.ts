/** Ports for programs that cannot choose one by themselves. */
import { once } from 'node:events';
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * A port of 127.0.0.1 that was free a moment ago.
 * It lies below the range of which Linux hands out ports by itself (32768 and up), so that no other test's server or connection gets it meanwhile.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const server = createServer().listen(port, '127.0.0.1');
    if (!(await once(server, 'listening').catch(() => false))) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
