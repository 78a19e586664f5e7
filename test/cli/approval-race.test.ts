/** Processes that race for one approval: exactly one runs. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { aip, launch, place } from '../kit/built/binary.js';

test('of four processes with one approval one is accepted, three are told that it is spent', async () => {
  const machine = place({ AIP_KEY_PASSPHRASE: 'correct horse battery staple' });
  const at = (name: string): string => join(machine.folder, name);
  const run = (...argv: string[]) => {
    const answer = aip(machine, argv);
    expect([answer.code, answer.err]).toEqual([0, expect.any(String)]);
    return answer.out;
  };
  const create = 'passport create bot --domain acme.com -a issue_refund --key-store file --principal-key-store file';
  run(...create.split(' '), '--constraint', 'require_approval:={"above":100}');
  const sign = (name: string, ...more: string[]): string => {
    const params = ['-p', 'bot', '-a', 'issue_refund', '--param', 'amount:=10000'];
    run('intent', 'sign', ...params, '-o', at(name), ...more);
    return at(name);
  };
  const refused = aip(machine, ['intent', 'verify', sign('first.json'), '--json']);
  expect(refused.code).toBe(14);
  const { details } = JSON.parse(refused.out) as { details: { request_id: string } };
  run('approvals', 'approve', details.request_id, '--yes');
  const intents = [0, 1, 2, 3].map((i) => sign(`race-${i}.json`, '--approval-request', details.request_id));
  const answers = await Promise.all(intents.map((intent) => launch(machine, ['intent', 'verify', intent, '--json'])));
  expect(answers.map(({ code }) => code).sort()).toEqual([0, 12, 12, 12]);
  const codes = answers.map(({ out }) => (JSON.parse(out) as { error_code: string | null }).error_code);
  expect(codes.filter((code) => code === 'AIP-E216')).toHaveLength(3);
});
