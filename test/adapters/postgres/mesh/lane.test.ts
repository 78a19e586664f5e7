/** One connection for one kind of work. */
import { expect, test } from 'vitest';
import { Lane, type LaneQueries } from '../../../../src/adapters/postgres/mesh/lane.js';
import { connectWithUrl, describePostgres, QUICK } from '../../../kit/postgres.js';

describePostgres('a lane', QUICK, (cluster) => {
  test('a transaction whose time was over before it could be undone takes nothing of the next work with it', async () => {
    const { url } = await cluster().database();
    const lane = new Lane((withinMs) => connectWithUrl(url, withinMs), 1_000, true);
    const insert = (held: LaneQueries, n: number) => held.query('INSERT INTO t VALUES ($1) RETURNING a', [n]);
    await lane.run((held) => held.query('CREATE TABLE t (a int)'));
    const late = lane.run(async (held) => {
      await held.query('BEGIN');
      try {
        await insert(held, 1);
        // Between two statements: no timer of a statement runs.
        for (const end = performance.now() + 1_050; performance.now() < end;);
        await held.query('COMMIT');
      } catch (error) {
        await held.query('ROLLBACK').catch(() => undefined);
        throw error;
      }
    });
    await expect(late).rejects.toMatchObject({ name: 'StoreTrouble' });
    await lane.run((held) => insert(held, 2));
    const other = await connectWithUrl(url);
    expect(await other.query('SELECT a FROM t', [], 5_000)).toEqual([{ a: 2 }]);
    await Promise.all([other.close(), lane.close()]);
  });
});
