/** `aip mesh migrate` and `--store` at a terminal; what a database itself does is tested with the store. */
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Home } from '../../kit/mesh/homes.js';

const SLOW = 120_000;
const agent = (n: number): string => `did:web:acme.com:agents:a${n}`;

describe('a mesh that is copied', { timeout: SLOW }, () => {
  test('is the same at both ends, goes on at the new one, and is sealed at the old one', async () => {
    const home = new Home();
    const served = await home.serve();
    const data = dirname(home.config().mesh!.key_file!);
    for (const n of [1, 2]) await home.json('revoke', agent(n), '--reason', 'r', '--yes', '--unseen');
    const ends = ['--from', data, '--to', home.at('copy')];
    expect(await home.run(['mesh', 'migrate', ...ends, '--yes'])).toMatchObject({ code: 3 });
    await served.running.stop();
    expect(await home.run(['mesh', 'migrate', ...ends])).toMatchObject({ code: 2 });
    expect(await home.json('mesh', 'migrate', ...ends, '--yes')).toMatchObject({ events: 2, term: 2, equal: true });
    expect((await home.run(['mesh', 'migrate', ...ends, '--yes'])).out).toContain('2 events at both ends');
    const again = await home.serve();
    expect(again.running.err).toContain('This mesh is sealed: it has gone on elsewhere, in term 3.');
    expect(await home.run(['mesh', 'backup', home.at('late.backup')])).toMatchObject({
      code: 0,
      err: expect.stringContaining(
        'is sealed: it has gone on elsewhere, in term 3, and nothing of what came',
      ) as string,
    });
    const refused = await home.run(['revoke', agent(3), '--reason', 'r', '--yes', '--unseen']);
    expect(refused).toMatchObject({ code: 5, err: expect.stringContaining('MESH_SEALED') as string });
    await again.running.stop();
  });

  test.each([
    [['migrate', '--from', './a'], 2, '--to'],
    [['migrate', '--to', './a'], 2, '--from'],
    [['migrate', '--from', './a', '--to', './a'], 2, 'the same'],
    [['migrate', '--from', './nowhere', '--to', './b', '--yes'], 3, 'no mesh'],
    [['migrate', '--from', './a', '--to', 'postgres://u:secret@h/d', '--yes'], 2, 'password'],
    [['serve', '--store', 'postgres://u:secret@h/d'], 2, 'password'],
    [['serve', '--store', 'mysql://h/d'], 2, 'PostgreSQL'],
    [['serve', '--store', 'postgres://u@127.0.0.1:1/d', '--follow', 'http://127.0.0.1:2'], 2, '--store'],
    [['serve', '--notify', 'https://bell.acme.com', '--follow', 'http://127.0.0.1:2'], 2, '--notify'],
    [['serve', '--store', 'postgres://u@127.0.0.1:1/d'], 5, 'does not answer'],
  ])('%j: exit %i', async (argv, code, says) => {
    const said = await new Home().run(['mesh', ...argv]);
    expect(said).toMatchObject({ code, out: '' });
    expect(said.err).toContain(says);
    expect(said.err).not.toContain('secret');
  });
});
