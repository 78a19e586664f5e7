import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import * as library from '../../src/index.js';
import { world } from '../kit/world.js';
import { AGENT, KEY, refusal, supportAgent, T0, workshop } from './workshop.js';
import { scratch } from '../kit/scratch.js';

afterEach(async () => {
  await library.closeWorkspace();
  vi.unstubAllEnvs();
});

const SUPPORT = { domain: 'acme.com', agentName: 'support-agent-v1', actions: ['pay'], keyStore: 'file' } as const;

describe('the functions without a workspace', () => {
  test('are those of the guide, in camel case', () => {
    expect(Object.keys(library)).toEqual(
      expect.arrayContaining([
        ...['createPassport', 'loadPassport', 'createIntent', 'signIntent', 'verifyIntent', 'shield'],
        ...['getVerificationLogs', 'registerVerificationHook', 'VerificationError', 'VerificationHook'],
        ...['allow', 'reject', 'requireHumanApproval', 'openWorkspace', 'closeWorkspace', 'Failure'],
      ]),
    );
  });

  test('share the folder and the passphrase that the environment names', async () => {
    const home = join(scratch(), 'home');
    vi.stubEnv('AIP_HOME', home);
    vi.stubEnv('AIP_KEY_PASSPHRASE', 'correct horse');
    const passport = await library.createPassport(SUPPORT);
    expect(passport.keyRef.startsWith(home)).toBe(true);
    const pay = library.shield({ passport, actions: ['pay'], limit: 10 }, ({ amount }: { amount: number }) => amount);
    await expect(pay({ amount: 10 })).resolves.toBe(10);
    await expect(pay({ amount: 11 })).rejects.toThrow(library.VerificationError);
    const stop = library.registerVerificationHook({ verify: () => library.reject({ code: 'NO', message: 'No.' }) });
    expect(await refusal(pay({ amount: 1 }))).toMatchObject({ code: 'NO' });
    stop();
    const intent = await library.createIntent({ agentId: AGENT, action: 'pay', params: { amount: 1 } });
    expect((await library.verifyIntent(intent)).success).toBe(true);
    expect((await library.loadPassport('support-agent-v1')).agentId).toBe(AGENT);
    expect((await library.getVerificationLogs()).map(({ error_code }) => error_code)).toEqual([
      null,
      'NO',
      'AIP-E202',
      null,
    ]);
  });

  test('find their key in AGENT_PRIVATE_KEY where this machine keeps none', async () => {
    const aip = workshop();
    const passport = await supportAgent(aip);
    const home = join(scratch(), 'home');
    vi.stubEnv('AIP_HOME', home);
    vi.stubEnv('AGENT_PRIVATE_KEY', KEY);
    const given = await library.loadPassport(Buffer.from(JSON.stringify(passport)));
    const intent = await library.createIntent({ passport: given, action: 'issue_refund', timestamp: T0 / 1000 });
    expect((await aip.verifyIntent(intent)).success).toBe(true);
  });

  test('make nothing before they are used', () => {
    const home = join(scratch(), 'home');
    vi.stubEnv('AIP_HOME', home);
    library.registerVerificationHook({ verify: () => library.allow() })();
    library.shield({ passport: AGENT, actions: ['pay'] }, () => undefined);
    expect(existsSync(home)).toBe(false);
  });
});

describe('the command line', () => {
  test('knows what the library made, and neither accepts what the other did', async () => {
    const aip = workshop();
    await supportAgent(aip);
    const [first, second] = [
      await aip.createIntent({ agentId: AGENT, action: 'issue_refund', params: { amount: 1 } }),
      await aip.createIntent({ agentId: AGENT, action: 'issue_refund', params: { amount: 2 } }),
    ];
    const cli = world({ env: { AIP_HOME: join(aip.folder, 'home') } });
    const files = [first, second].map((intent, i) => {
      const path = join(aip.folder, `${i}.json`);
      writeFileSync(path, JSON.stringify(intent));
      return path;
    });
    expect((await aip.verifyIntent(first)).success).toBe(true);
    expect(await cli.run('intent', 'verify', '--json', files[0]!)).toMatchObject({
      code: 11,
      out: expect.stringContaining('AIP-E301'),
    });
    expect((await cli.run('intent', 'verify', files[1]!)).code).toBe(0);
    expect(await aip.verifyIntent(second)).toMatchObject({ error_code: 'AIP-E301' });
  });
});
