/** Attacks 5: what runs is what was judged. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { bindArguments } from '../../../src/cli/intents/bind-arguments.js';
import { inTime } from '../../../src/cli/input/in-time.js';
import { readAny } from '../../../src/adapters/files/plain-file.js';
import { canonicalize } from '../../../src/protocol/json/canonical.js';
import type { Json, JsonObject } from '../../../src/protocol/json/values.js';
import { household, settled } from '../../kit/native/household.js';
import { fixture } from '../../kit/native/vectors.js';
import { world } from '../../kit/world.js';

interface Case {
  readonly name: string;
  readonly command: readonly string[];
  readonly params: JsonObject;
  readonly args: readonly string[];
  readonly unbound: boolean;
}
const vectors = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../vectors/exec-arguments.json', import.meta.url)), 'utf8'),
) as Readonly<Record<'filled' | 'refused' | 'unbound', readonly Case[]>>;

describe('placeholders', () => {
  test.each(vectors.filled)('are filled: $name', ({ command, params, args }) => {
    expect(bindArguments(command, params).args).toEqual(args);
  });
  test.each(vectors.refused)('are refused: $name', ({ command, params }) => {
    expect(() => bindArguments(command, params)).toThrow(/Nothing was spent/);
  });
  test('inside a shell text are refused with the variable to read instead', () => {
    try {
      bindArguments(['sh', '-c', './refund.sh {order_id}'], { order_id: '8472' });
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'USAGE', hint: expect.stringContaining('AIP_PARAM_ORDER_ID') as string });
    }
  });
  test.each(vectors.unbound)('$command with $params: unbound $unbound', ({ command, params, unbound }) => {
    expect(bindArguments(command, params).unbound).toBe(unbound);
  });
});

const PASSPHRASE = 'correct horse battery';

async function staged(env: Readonly<Record<string, string>> = {}) {
  const place = world({ env: { AIP_KEY_PASSPHRASE: PASSPHRASE, ...env } });
  const home = ['--home', join(place.io.userHome, 'home')];
  const flags = ['--domain', 'acme.com', '-a', 'deploy', '-a', 'refund', '--key-store', 'file'];
  const made = await place.run('passport', 'create', 'bot', ...home, ...flags, '-o', join(place.cwd, 'bot.json'));
  expect(made.code, made.err).toBe(0);
  const path = join(place.cwd, 'ran.json');
  const script = `require('fs').writeFileSync(${JSON.stringify(path)}, JSON.stringify({ argv: process.argv.slice(1), env: process.env, document: require('fs').readFileSync(process.env.AIP_INTENT_FILE, 'utf8') }))`;
  const program = place.file('tool.cjs', script);
  const exec = (flags: readonly string[], ...args: string[]) =>
    place.run('exec', ...home, '-p', 'bot', ...flags, '--', process.execPath, program, ...args);
  const ran = () =>
    existsSync(path)
      ? (JSON.parse(readFileSync(path, 'utf8')) as { argv: string[]; env: Record<string, string>; document: string })
      : null;
  return { place, home, exec, ran };
}

describe('aip exec', () => {
  test('gives the command the verified params as arguments, variables and a file', async () => {
    const { exec, ran } = await staged();
    const params = ['--param', 'amount:=50', '--param', 'order_id=8472', '--params', '{"config":{"a":1}}'];
    const { code, err } = await exec(['-a', 'refund', ...params], '{order_id}', '--amount={amount}');
    expect(code, err).toBe(0);
    const { argv, env, document } = ran()!;
    expect(argv.slice(1)).toEqual(['8472', '--amount=50']);
    expect(env).toMatchObject({ AIP_PARAM_AMOUNT: '50', AIP_PARAM_ORDER_ID: '8472' });
    expect(env).not.toHaveProperty('AIP_PARAM_CONFIG');
    expect(document).toBe(`${canonicalize(JSON.parse(document) as Json)}\n`);
    expect(JSON.parse(document)).toMatchObject({ action: 'refund', params: { amount: 50, config: { a: 1 } } });
    // For as long as it runs.
    expect(existsSync(env['AIP_INTENT_FILE']!)).toBe(false);
  });

  test('warns, and with --strict refuses, when the arguments say something else', async () => {
    const { exec, ran } = await staged();
    const strict = await exec(['-a', 'deploy', '--param', 'env=staging', '--strict'], 'production');
    expect([strict.code, strict.err]).toEqual([2, expect.stringContaining('unbound_arguments')]);
    expect(ran()).toBeNull();
    const warned = await exec(['-a', 'deploy', '--param', 'env=staging'], 'production');
    expect([warned.code, warned.err]).toEqual([0, expect.stringContaining('[unbound_arguments]')]);
  });

  test('warns of what is nearly the name of a param; --strict refuses before anything is spent', async () => {
    const { place, home, exec, ran } = await staged();
    const params = ['-a', 'refund', '--param', 'amount:=5', '--param', 'order_id=8472'];
    const warned = await exec(params, '{order_id}', '{amout}', '--sum={Amount}', '{}', '{print}', '{"amount":5}');
    expect(warned.code, warned.err).toBe(0);
    expect(ran()!.argv.slice(1)).toEqual(['8472', '{amout}', '--sum={Amount}', '{}', '{print}', '{"amount":5}']);
    expect(warned.err.match(/\[unknown_placeholder\]/g)).toHaveLength(2);
    expect(warned.err).toContain('{amout} names no param of the intent');
    const before = (await place.run('logs', 'tail', ...home, '--json')).out;
    const strict = await exec([...params, '--strict'], '{order_id}', '{amout}');
    expect([strict.code, strict.err]).toEqual([2, expect.stringContaining('there are {amount}, {order_id}')]);
    expect((await place.run('logs', 'tail', ...home, '--json')).out).toBe(before);
  });

  test('refuses a placeholder as the program itself, though there is no such program', async () => {
    const { place, home } = await staged();
    const flags = ['-p', 'bot', '-a', 'deploy', '--param', 'env=sh'];
    const { code, err } = await place.run('exec', ...home, ...flags, '--', '{env}', '-x');
    expect([code, err]).toEqual([2, expect.stringContaining('would be the program')]);
    expect((await place.run('logs', 'tail', ...home, '--json')).out).toBe('');
  });

  test('refuses a placeholder before anything is spent', async () => {
    const { place, home, ran } = await staged();
    const command = ['--', 'sh', '-c', 'echo {env}'];
    const { code, err } = await place.run(
      'exec',
      ...home,
      '-p',
      'bot',
      '-a',
      'deploy',
      '--param',
      'env=x; id',
      ...command,
    );
    expect([code, err]).toEqual([2, expect.stringContaining('AIP_PARAM_ENV')]);
    expect(ran()).toBeNull();
    expect((await place.run('logs', 'tail', ...home, '--json')).out).toBe('');
  });

  test("says that a principal's key is within the command's reach; --strict refuses", async () => {
    const { place, home, exec, ran } = await staged();
    const strict = await exec(['-a', 'deploy', '--strict']);
    expect([strict.code, strict.err]).toEqual([2, expect.stringContaining('principal_key_here')]);
    expect(ran()).toBeNull();
    expect((await exec(['-a', 'deploy'])).err).toContain('[principal_key_here]');
    await place.run('init', ...home, '--domain', 'other.com', '--key-store', 'file');
    const both = 'The keys of did:web:acme.com, did:web:other.com open from this home without a question';
    expect((await exec(['-a', 'deploy'])).err).toContain(both);
  });

  test('lets a list of variables through and no other of its own', async () => {
    const secrets = {
      AIP_MESH_KEY: 'no',
      AIP_WEBHOOK_SECRET: 'no',
      AIP_SECRETS_DIR: 'no',
      AIP_PARAM_AMOUNT: '1000000',
      AIP_INTENT_FILE: 'no',
      AIP_SOMETHING_NEW: 'no',
      aip_key_passphrase: 'no',
      AGENT_PRIVATE_KEY: `ed25519:${'07'.repeat(32)}`,
    };
    const { exec, ran } = await staged({ ...secrets, AIP_MESH_PUBLIC_KEY: `ed25519:${'0f'.repeat(32)}`, OTHER: 'yes' });
    const { code, err } = await exec(['-a', 'deploy', '--key-store', 'file']);
    expect(code, err).toBe(0);
    const { env } = ran()!;
    expect(
      Object.keys(env)
        .filter((name) => /^(aip_|agent_)/i.test(name))
        .sort(),
    ).toEqual(['AIP_AGENT_ID', 'AIP_INTENT_FILE', 'AIP_INTENT_HASH', 'AIP_MESH_PUBLIC_KEY']);
    expect(env['OTHER']).toBe('yes');
  });

  test('runs on the params of a given intent', async () => {
    const { place, home, exec, ran } = await staged();
    const intent = join(place.cwd, 'i.json');
    await place.run('intent', 'sign', ...home, '-p', 'bot', '-a', 'refund', '--param', 'amount:=5', '-o', intent);
    expect((await exec(['--intent', intent, '-a', 'refund'], '{amount}')).code).toBe(0);
    expect(ran()!.argv.slice(1)).toEqual(['5']);
  });
});

describe('aip intent verify', () => {
  test('--print-verified prints the canonical bytes of what was accepted, and nothing else', async () => {
    const machine = await settled();
    const refund = fixture('intent-refund.json');
    const { code, out, err } = await machine.run('intent', 'verify', refund, '--print-verified');
    expect([code, err]).toEqual([0, '']);
    expect(out).toBe(`${canonicalize(JSON.parse(readFileSync(refund, 'utf8')) as Json)}\n`);
    const again = await machine.run('intent', 'verify', refund, '--print-verified');
    expect([again.code, again.out, again.err]).toEqual([11, '', expect.stringContaining('AIP-E301')]);
  });

  test.each([['--json'], ['--ndjson'], ['--format', 'json'], ['--format', 'human'], ['--dry-run'], ['--params']])(
    '--print-verified does not go with %s',
    async (...flags) => {
      const machine = await settled();
      const { code, out } = await machine.run(
        'intent',
        'verify',
        fixture('intent-refund.json'),
        '--print-verified',
        ...flags,
      );
      expect([code, out]).toEqual([2, '']);
    },
  );

  test('--params gives what was verified, and null for what was refused', async () => {
    const machine = await settled();
    const refund = fixture('intent-refund.json');
    const params = (JSON.parse(readFileSync(refund, 'utf8')) as { params: object }).params;
    const { value } = await machine.json<{ params: object }>('intent', 'verify', refund, '--params');
    expect(value.params).toEqual(params);
    const again = await machine.json<{ params: object }>('intent', 'verify', refund, '--params');
    expect(again.value.params).toBeNull();
    const plain = await machine.json<object>('intent', 'verify', refund);
    expect(plain.value).not.toHaveProperty('params');
    expect((await machine.run('intent', 'verify', refund, '--params')).code).toBe(2);
  });

  test('--params in a stream', async () => {
    const refund = readFileSync(fixture('intent-refund.json'), 'utf8');
    const machine = await settled({ stdin: `${canonicalize(JSON.parse(refund) as Json)}\n{}\n` });
    const { out } = await machine.run('intent', 'verify', '-', '--ndjson', '--params', '--jobs', '1');
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { params: object | null });
    expect(lines.map(({ params }) => params)).toEqual([(JSON.parse(refund) as { params: object }).params, null]);
  });
});

describe('a pipe', () => {
  test('that does not come to its end is given up, and one that does is read whole', async () => {
    const { cwd } = world();
    const pipe = join(cwd, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const writer = spawn('sh', ['-c', 'exec 3>"$0"; printf "{}" >&3; exec sleep 30', pipe]);
    await expect(readAny(pipe, 400)).rejects.toMatchObject({
      code: 'UNREADABLE',
      message: expect.stringContaining('nothing was judged') as string,
    });
    writer.kill();
    const honest = spawn('sh', ['-c', '(printf "{"; sleep 0.1; printf "}") > "$0"', pipe]);
    expect(Buffer.from((await readAny(pipe, 5000))!).toString()).toBe('{}');
    honest.kill();
  });

  test('on stdin that stays open is exit 3', async () => {
    const machine = household();
    machine.type('{"agent_id":');
    const { code, out, err } = await machine.run('intent', 'verify', '-');
    expect([code, out, err]).toEqual([3, '', expect.stringContaining('within 10 s')]);
  }, 20_000);

  test('in a stream: a line that was begun has to end, and waiting for a line does not matter', async () => {
    const stream = new PassThrough();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const chunk of inTime(stream, 'stdin', 200)) seen.push(Buffer.from(chunk).toString());
    })();
    stream.write('{}\n');
    await new Promise((resolve) => setTimeout(resolve, 400));
    stream.write('{"a":1}\n{"b"');
    // Bytes that trickle do not extend it.
    const trickle = setInterval(() => stream.write('x'), 50);
    await expect(reading).rejects.toMatchObject({ code: 'UNREADABLE' });
    clearInterval(trickle);
    expect(seen.slice(0, 2)).toEqual(['{}\n', '{"a":1}\n{"b"']);
  });
});
