/** Preparing a database, where it is another one than was thought of. */
import { expect, test } from 'vitest';
import { migrate, script, stateVersionOf } from '../../../../src/adapters/postgres/state/migrate.js';
import { LOCK_CLASS } from '../../../../src/adapters/postgres/state/schema.js';
import { STATE_VERSION } from '../../../../src/adapters/postgres/state/version.js';
import { connectWithUrl, describePostgres, QUICK } from '../../../kit/postgres.js';

describePostgres('a migration', QUICK, (cluster) => {
  test('of two at once one does it and the other finds it done, whatever isolation the database sets', async () => {
    const { name, url } = await cluster().database();
    await cluster().admin(`ALTER DATABASE ${name} SET default_transaction_isolation = 'repeatable read'`);
    const [holder, ...both] = await Promise.all([1, 2, 3].map(() => connectWithUrl(url)));
    // Both wait here.
    await holder!.query(`BEGIN; SELECT pg_advisory_xact_lock(${LOCK_CLASS + 1}, 0)`, [], 5_000);
    const done = Promise.all(both.map((connection) => migrate(connection, { roles: [] })));
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = '${name}' AND wait_event = 'advisory'`;
    while ((await cluster().admin(waiting)).length < 2);
    await holder!.query('COMMIT', [], 5_000);
    expect((await done).map(({ from }) => from).sort()).toEqual([0, STATE_VERSION]);
    await Promise.all([holder!, ...both].map((connection) => connection.close()));
  });

  test('a database of a smaller character set is refused, and left as it is', async () => {
    const { name, url } = await cluster().database();
    await cluster().admin(`CREATE DATABASE ${name}_latin ENCODING 'LATIN1' TEMPLATE template0`);
    const connection = await connectWithUrl(`${url}_latin`);
    await expect(migrate(connection, { roles: [] })).rejects.toMatchObject({
      code: 'STATE_UNAVAILABLE',
      message: expect.stringContaining('LATIN1') as string,
      // In a server of that locale no database has UTF8 without another one.
      hint: expect.stringContaining('--locale C ') as string,
    });
    // The script that --dry-run prints for psql would begin there as well.
    await connection.query('ROLLBACK', [], 5_000);
    await expect(stateVersionOf(connection)).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
    await connection.close();
    expect(await cluster().admin(`SELECT 1 FROM pg_namespace WHERE nspname = 'aip_state'`, `${name}_latin`)).toEqual(
      [],
    );
  });

  test('a database of a smaller character set that verifiers share already lets another role in', async () => {
    const { name, url } = await cluster().database();
    await cluster().admin(`CREATE DATABASE ${name}_latin ENCODING 'LATIN1' TEMPLATE template0`);
    await cluster().admin(`CREATE ROLE ${name}_verifier`);
    const connection = await connectWithUrl(`${url}_latin`);
    await connection.query(script(0, []), [], 10_000);
    const roles = [`${name}_verifier`];
    expect(await migrate(connection, { roles })).toEqual({ from: STATE_VERSION, to: STATE_VERSION, granted: roles });
    await connection.close();
  });
});
