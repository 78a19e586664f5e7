/** Tests that need PostgreSQL: a cluster for each block of them. */
import { afterAll, beforeAll, describe } from 'vitest';
import { BIN, TestCluster, type ClusterOptions } from './state/cluster.js';

export { connectWithUrl, programFile, serverUser, TestCluster, type ClusterOptions } from './state/cluster.js';

/** Lines of postgresql.conf for a cluster that no test kills: nothing waits for the disk. */
export const QUICK: ClusterOptions = { config: ['fsync = off', 'full_page_writes = off'] };

/** Tests that need PostgreSQL. `cluster()` gives the one of this block, which starts before its tests. */
export function describePostgres(
  name: string,
  options: ClusterOptions,
  tests: (cluster: () => TestCluster) => void,
): void {
  describe.runIf(BIN !== null)(name, () => {
    let cluster: TestCluster | null = null;
    beforeAll(async () => {
      cluster = await TestCluster.start(options);
    });
    afterAll(() => cluster?.end());
    tests(() => cluster!);
  });
}
