/** A target that shows a secret by its shape: masked in the log as a param is, and still proved by the document as it was sent. */
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ProofReport } from '../../../src/app/proof/report.js';
import { formatPublicKey } from '../../../src/protocol/identity/keys.js';
import { inHome } from '../../kit/history.js';
import { household } from '../../kit/native/household.js';
import { world } from '../../kit/world.js';

const TARGET = 'https://u:S3CRETpw@acme.com/x?token=S3CRETtoken';

async function logged(params: 'full' | 'masked' | 'none', target = TARGET) {
  const home = household({ env: { AIP_LOG_PARAMS: params } });
  const made = await home.run(
    ...['passport', 'create', 'bot', '--domain', 'acme.com', '-a', 'fetch', '--key-store', 'file'],
    ...['--out', home.at('bot.json')],
  );
  expect(made.code, made.err).toBe(0);
  const signed = await home.run('intent', 'sign', '-p', 'bot', '-a', 'fetch', '--param', 'n:=1', '--target', target);
  const intent = home.file('intent.json', signed.out);
  expect((await home.run('intent', 'verify', intent)).code).toBe(0);
  const principal = inHome(dirname(home.state), (state) =>
    formatPublicKey(state.pins('did:web:acme.com')[0]!.publicKey),
  );
  const steps = async (...flags: string[]): Promise<Record<string, string>> => {
    const { out, err } = await home.run('logs', 'prove', '1', ...flags);
    const verifier = /--verifier-key (ed25519:[0-9a-f]{64})/.exec(err)![1]!;
    const keys = ['--principal-key', `did:web:acme.com=${principal}`, '--verifier-key', verifier];
    const answer = await world({ stdin: out }).run('proof', 'verify', '-', '--json', ...keys);
    return Object.fromEntries((JSON.parse(answer.out) as ProofReport).steps.map(({ step, status }) => [step, status]));
  };
  const entry = JSON.parse((await home.run('logs', 'tail', '--json')).out) as { target: string };
  return { home, intent, steps, entry };
}

describe.each(['masked', 'none'] as const)('with log.params %s', (params) => {
  test('userinfo and a token in the query are in neither log nor export', async () => {
    const { home, entry } = await logged(params);
    expect(entry.target).toMatch(/^https:.*acme\.com\/x\?token=/);
    expect(entry.target).not.toContain('S3CRET');
    expect((await home.run('logs', 'export')).out).not.toContain('S3CRET');
    expect((await home.run('logs', 'verify', '--signatures')).code).toBe(0);
  });

  test('the action is proved by the document, and without it who asked is not shown', async () => {
    const { steps, intent } = await logged(params);
    const shown = { limits: 'ok', decision: 'ok', recorded: 'ok' };
    expect(await steps('--intent', intent)).toMatchObject({ who: 'ok', what: 'ok', ...shown });
    expect(await steps()).toMatchObject({ ...shown, who: 'unproven', what: 'unproven', limits: 'unproven' });
  });

  test('a limit that reads targets is not decided by what is left of one', async () => {
    const { home } = await logged(params);
    const json = JSON.parse((await home.run('passport', 'show', 'bot', '--json')).out) as Record<string, unknown>;
    const next = home.file(
      'next.json',
      JSON.stringify({ ...json, serial: 2, constraints: { allowed_domains: ['other.com'] } }),
    );
    const { out } = await home.run('policy', 'replay', '-p', next, '--json');
    expect(JSON.parse(out)).toMatchObject({ not_decidable: { count: 1 }, accepted_to_refused: { count: 0 } });
  });
});

test('full keeps it, and a target without a secret is kept by all', async () => {
  const full = await logged('full');
  expect(full.entry.target).toBe(TARGET);
  expect(await full.steps()).toMatchObject({ who: 'ok', what: 'ok' });
  const plain = await logged('masked', 'https://acme.com/x?page=2');
  expect(plain.entry.target).toBe('https://acme.com/x?page=2');
  expect(await plain.steps()).toMatchObject({ who: 'ok', what: 'ok' });
});
