import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { MESH_STORY, playStory, STORY, type ActReport, type DemoStage } from '../../../src/app/setup/demo.js';
import { plain } from '../../../src/cli/render/terminal/paint.js';
import { renderAct, renderEnd } from '../../../src/cli/render/demo.js';
import { columnsOf } from '../../../src/cli/render/terminal/width.js';
import { bundle } from '../../kit/bundle.js';
import { world } from '../../kit/world.js';

interface Told {
  readonly ok: boolean;
  readonly acts: readonly {
    readonly tries: string;
    readonly expected_code: string | null;
    readonly as_expected: boolean;
    readonly decision: { readonly success: boolean; readonly error_code: string | null; readonly details: unknown };
  }[];
  readonly drill: unknown;
  readonly log: { readonly ok: boolean; readonly count: number };
}

/** Every temporary folder of the run lies here, so that what is left behind is seen. */
function ownTemporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'aip-test-'));
  vi.stubEnv('TMPDIR', folder);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

describe('aip demo', () => {
  test("ends each act of the guide's story as the guide says", async () => {
    const { code, out, err } = await world().run('demo', '--json');
    const told = JSON.parse(out) as Told;
    expect(told.acts.map((act) => act.decision.error_code)).toEqual([
      null,
      'AIP-E202',
      'AIP-E203',
      'AIP-E301',
      'AIP-E302',
      'AIP-E103',
      'AIP-E401',
      null,
    ]);
    expect(told.acts.every((act) => act.as_expected && act.decision.error_code === act.expected_code)).toBe(true);
    expect(told.acts[1]!.decision.details).toMatchObject({ requested: 10_000, limit: 100 });
    expect(told.acts[2]!.decision.details).toMatchObject({ requested_domain: 'evil.com' });
    expect(told.acts[4]!.decision.details).toMatchObject({ age_s: 360 });
    expect(told).toMatchObject({ ok: true, log: { ok: true, count: 8 } });
    expect(told.drill).toMatchObject({ ok: true, can_halt: 'yes', rounds: 5, reinstated: true });
    expect(told.acts[6]!.decision.details).toMatchObject({ reason: 'demo' });
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });

  test('tells a person what is tried, the decision, and what to run next', async () => {
    const { code, out } = await world().run('demo');
    expect(code).toBe(0);
    for (const [i, act] of [...STORY, ...MESH_STORY].entries())
      expect(out.replace(/\s+/g, ' ')).toContain(`${i + 1}. ${act.tries}`);
    expect(out).toContain('REFUSED AIP-E202 MONETARY_LIMIT_EXCEEDED');
    expect(out).toContain('2 accepted, 6 refused, each as it must be.');
    expect(out).toMatch(/Now your own\n {3}aip init --domain acme\.com\n/);
    expect(out).not.toContain('\u001b');
  });

  test('fits a terminal of 80 columns, also in what it says to run with npx', async () => {
    const { out } = await world({ tty: true, columns: 80, env: { npm_command: 'exec', NO_COLOR: '1' } }).run('demo');
    expect(out).toContain('npx aip intent verify intent.json');
    expect(out.split('\n').filter((line) => columnsOf(line) > 80)).toEqual([]);
  });

  test('asks nothing at a terminal, and is the same with --no-input', async () => {
    const { code, err } = await world({ tty: true }).run('demo', '--no-input');
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });

  test('leaves nothing behind: not in the home, the current folder, or the temporary one', async () => {
    const temporary = ownTemporary();
    const place = world({ env: { AIP_HOME: '/nowhere/at/all', AIP_KEY_STORE: 'rubbish', AGENT_PRIVATE_KEY: 'x' } });
    const before = readdirSync(temporary);
    expect((await place.run('demo')).code).toBe(0);
    expect(readdirSync(place.cwd)).toEqual([]);
    expect(readdirSync(place.io.userHome)).toEqual(['project']);
    expect(readdirSync(temporary)).toEqual(before);
  });

  test("is not swayed by the user's config", async () => {
    const place = world();
    place.file('.aiprc.json', JSON.stringify({ verify: { max_age: '1h' }, mesh: { url: 'https://mesh.example' } }));
    expect((await place.run('demo')).code).toBe(0);
  });

  test.each([0, 1, 4])('leaves nothing behind when it is interrupted after %i writes', async (writes) => {
    const temporary = ownTemporary();
    const place = world();
    const { stdout } = place.io;
    const write = stdout.write.bind(stdout) as (...args: unknown[]) => boolean;
    let seen = 0;
    stdout.write = ((...args: unknown[]) => {
      if (++seen === writes) place.interrupt(130);
      return write(...args);
    }) as typeof stdout.write;
    if (writes === 0) place.interrupt(130);
    expect((await place.run('demo')).code).toBe(130);
    // What was under way when the command had ended.
    await new Promise((resolve) => setImmediate(resolve));
    expect(readdirSync(temporary).filter((name) => name.startsWith('aip-demo'))).toEqual([]);
  });

  test('leaves nothing behind when nobody reads it, or it is stopped by a signal', async () => {
    const temporary = ownTemporary();
    const child = spawn(
      process.execPath,
      [await bundle(fileURLToPath(new URL('../../kit/program.ts', import.meta.url))), 'demo'],
      {
        env: { ...process.env, TMPDIR: temporary },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.stdout.destroy();
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('exit', resolve));
    expect(readdirSync(temporary).filter((name) => name.startsWith('aip-demo'))).toEqual([]);
  });
});

describe('an act that ends otherwise', () => {
  const decision = { success: true, error_code: null, error_message: null, message: 'It may.' };
  const careless = {
    passport: { constraints: {} },
    sign: ({ action, params }: Parameters<DemoStage['sign']>[0]) => ({ action, params }),
    verify: async () => ({ decision, concern: null }),
  } as unknown as DemoStage;
  const played = async (): Promise<ActReport[]> => {
    const acts: ActReport[] = [];
    for await (const act of playStory(careless, STORY)) acts.push(act);
    return acts;
  };

  test('is known for one', async () => {
    expect((await played()).map((act) => act.asTold)).toEqual([true, false, false, false, false, false]);
  });
  test('is said to a person in words', async () => {
    const look = { paint: plain, width: 200 };
    const [, second] = await played();
    expect(renderAct(2, second!, look)).toContain('This is not how it should end: AIP-E202 was expected.');
    const end = { verified: 6, refused: 0, surprises: 5, log: { ok: false, count: 3 }, drill: null, program: 'aip' };
    expect(renderEnd(end, look)).toContain(
      '5 NOT as it must be. The log holds 3 entries, and its hash chain is BROKEN.',
    );
  });
});
