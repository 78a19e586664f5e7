/** The scripts of the GitHub action, as its runner calls them: inputs in variables, files and folders of the runner. */
import { randomBytes } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { openWorkspace, signIntent } from '../../../src/index.js';
import { scratch } from '../../kit/scratch.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const ACTION = join(ROOT, '.github/actions/aip');

interface Runner {
  readonly folder: string;
  readonly summary: () => string;
  check(inputs: Readonly<Record<string, string>>): { readonly code: number | null; readonly said: string };
}

function runner(): Runner {
  const folder = scratch();
  mkdirSync(join(folder, 'bin'));
  const aip = join(folder, 'bin/aip');
  writeFileSync(aip, `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, 'bin/aip.cjs')}" "$@"\n`);
  chmodSync(aip, 0o755);
  const summary = join(folder, 'summary.md');
  const none = {
    LINT: '',
    FAIL_ON_WARNING: 'false',
    VERIFY: '',
    PASSPORT: '',
    PRINCIPAL: '',
    MIN_SERIAL: '',
    SARIF: '',
  };
  return {
    folder,
    summary: () => readFileSync(summary, 'utf8'),
    check(inputs) {
      const named = Object.entries({ ...none, ...inputs }).map(
        ([name, value]) => [`AIP_ACTION_${name}`, value] as const,
      );
      const env = {
        ...Object.fromEntries(named),
        PATH: `${join(folder, 'bin')}:${dirname(process.execPath)}:/usr/bin:/bin`,
        HOME: folder,
        RUNNER_TEMP: folder,
        GITHUB_STEP_SUMMARY: summary,
        CI: 'true',
      };
      const { status, stdout, stderr } = spawnSync('bash', [join(ACTION, 'check.sh')], {
        cwd: folder,
        env,
        encoding: 'utf8',
      });
      return { code: status, said: stdout + stderr };
    },
  };
}

/** A passport file and two signed intents in the checkout: one within its limits, one beyond. */
async function checkout(folder: string): Promise<{ readonly principal: string }> {
  const workspace = openWorkspace({ home: join(folder, 'author'), passphrase: 'correct horse battery staple' });
  onTestFinished(() => workspace.close());
  const privateKey = `ed25519:${'7e'.repeat(32)}`;
  const params = { type: 'object', required: ['amount'], properties: { amount: { type: 'number' } } };
  const passport = await workspace.createPassport({
    domain: 'acme.com',
    agentName: 'bot',
    actions: [{ name: 'issue_refund', params: { ...params, additionalProperties: false } }],
    constraints: { monetary_limit: 100, rate_limit: '10/hour' },
    privateKey,
    principalKeyStore: 'file',
  });
  writeFileSync(join(folder, 'bot.passport.json'), JSON.stringify(passport));
  mkdirSync(join(folder, 'intents'));
  for (const amount of [50, 10_000]) {
    const intent = signIntent(passport, privateKey, {
      action: 'issue_refund',
      params: { amount },
      nonce: randomBytes(16).toString('hex'),
      timestamp: Math.floor(Date.now() / 1000),
    });
    writeFileSync(join(folder, `intents/${amount}.json`), JSON.stringify(intent));
  }
  return { principal: `did:web:acme.com=${passport.principalPublicKey}` };
}

test('an intent within its limits passes, is spent, and its files are as scanners take them', async () => {
  const { folder, check, summary } = runner();
  const { principal } = await checkout(folder);
  const inputs = { VERIFY: 'intents/50.json\n', PASSPORT: ' bot.passport.json ', PRINCIPAL: principal, SARIF: 'sarif' };
  expect(check({ ...inputs, LINT: '*.passport.json' })).toMatchObject({ code: 0 });
  for (const file of ['lint', 'verify']) {
    const { version } = JSON.parse(readFileSync(join(folder, `sarif/${file}.sarif`), 'utf8')) as { version: string };
    expect(version).toBe('2.1.0');
  }
  expect(summary()).toContain('1 verified, 0 refused');
  const again = check(inputs);
  expect(again).toMatchObject({ code: 11 });
  expect(again.said).toContain('AIP-E301');
});

test('one intent beyond its limit among others fails the step, with an annotation at its file', async () => {
  const { folder, check } = runner();
  const { principal } = await checkout(folder);
  const { code, said } = check({ VERIFY: 'intents/*.json', PASSPORT: 'bot.passport.json', PRINCIPAL: principal });
  expect(code).toBe(12);
  expect(said).toMatch(/^::error file=intents\/10000\.json.*AIP-E202/m);
});

test.each([
  ['nothing to check', {}, 2, 'neither lint nor verify'],
  ['a pattern that matches nothing', { VERIFY: 'none/*.json' }, 2, ''],
  ['a principal that is not trusted', { VERIFY: 'intents/50.json', PASSPORT: 'bot.passport.json' }, 10, 'AIP-E103'],
  ['a floor above the passport', { MIN_SERIAL: 'did:web:acme.com:agents:bot=2' }, 10, 'was replaced'],
  ['a misspelt switch', { LINT: 'bot.passport.json', FAIL_ON_WARNING: 'yes' }, 2, 'true or false'],
  ['a file name that looks like a flag', { VERIFY: '--dry-run' }, 3, ''],
  ['an input with a command in it', { VERIFY: 'x$(touch pwned).json' }, 3, ''],
])('%s is no yes', async (_, inputs, code, says) => {
  const { folder, check } = runner();
  const { principal } = await checkout(folder);
  const floor = { VERIFY: 'intents/50.json', PASSPORT: 'bot.passport.json', PRINCIPAL: principal };
  const ended = check('MIN_SERIAL' in inputs ? { ...floor, ...inputs } : inputs);
  expect(ended).toMatchObject({ code });
  expect(ended.said).toContain(says);
  expect(existsSync(join(folder, 'pwned'))).toBe(false);
});

test('a lint error fails the step even where every intent is accepted', async () => {
  const { folder, check } = runner();
  const { principal } = await checkout(folder);
  const open = readFileSync(join(folder, 'bot.passport.json'), 'utf8').replace('monetary_limit', 'x-limit');
  writeFileSync(join(folder, 'open.passport.json'), open);
  const inputs = { VERIFY: 'intents/50.json', PASSPORT: 'bot.passport.json', PRINCIPAL: principal };
  expect(check({ ...inputs, LINT: 'open.passport.json', FAIL_ON_WARNING: 'true' }).code).toBe(15);
});

test('every input of the action reaches its script, and as a variable', () => {
  const action = readFileSync(join(ACTION, 'action.yml'), 'utf8');
  const inputs = [...action.matchAll(/^ {2}([a-z-]+):\n {4}description/gm)].map(([, name]) => name!);
  expect(inputs.length).toBeGreaterThan(6);
  for (const name of inputs) {
    const variable = `AIP_ACTION_${name.toUpperCase().replaceAll('-', '_')}`;
    expect(action).toContain(`${variable}: \${{ inputs.${name} }}`);
    expect(
      ['check.sh', 'install.sh'].some(
        (file) =>
          readFileSync(join(ACTION, file), 'utf8').includes(`$${variable}`) ||
          readFileSync(join(ACTION, file), 'utf8').includes(`\${${variable}`),
      ),
    ).toBe(true);
  }
  // A value between braces in a script is text of that script.
  expect(action).not.toMatch(/run: .*\$\{\{/);
});
