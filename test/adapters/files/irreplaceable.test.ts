import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { refuseIrreplaceable, replaceOutput } from '../../../src/adapters/files/irreplaceable.js';
import { scratch } from '../../kit/scratch.js';

function holding(content: string): string {
  const folder = scratch();
  const path = join(folder, 'there');
  writeFileSync(path, content);
  return path;
}

const ROOT = `${'A'.repeat(43)}=`;

test.each([
  ['an encrypted key', 'a note\n-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIG\n', 'a file of keys'],
  ['a key of OpenSSH', '-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blb\n', 'a file of keys'],
  ['an environment file', `A=1\nexport AGENT_PRIVATE_KEY=ed25519:${'00'.repeat(32)}\n`, 'a file of keys'],
  ['an environment file of Windows', 'set AGENT_PRIVATE_KEY=ed25519:00\r\n', 'a file of keys'],
  ['an API key of a mesh', `aipm_admin_${'0a'.repeat(6)}_${'A'.repeat(43)}\n`, 'a file of keys'],
  ['an identity of age', '# created: 2026\n# public key: age1x\nAGE-SECRET-KEY-1QQQ\n', 'a file of keys'],
  ['a state, a mesh or its backup', `SQLite format 3\0${'\0'.repeat(2_000_000)}`, 'a database'],
  ["a verifier's key", `ed25519:${'00'.repeat(32)}\n`, 'a file of keys'],
  ['a passport', '{\n  "agent_id": "x",\n  "issuer_signature": "00"\n}\n', 'a passport'],
  ['a passport of the Python package', '{"identity":{},"principal":{},"boundaries":{},"public_key":""}', 'a passport'],
  ['a checkpoint', `aip.log/00\n9\n${ROOT}\n\n\u2014 aip.log/00 AAAA\n`, 'a checkpoint'],
  ['a checkpoint of an earlier version', '{"type":"log-checkpoint","seq":9}', 'a checkpoint'],
])('%s is not replaced by an output', async (_, content, what) => {
  const path = holding(content);
  const refusal = { code: 'EXISTS', message: `${path} is ${what}; it was left as it is.` };
  await expect(replaceOutput(path, 'new')).rejects.toMatchObject(refusal);
  await expect(refuseIrreplaceable(path)).rejects.toMatchObject(refusal);
  expect(readFileSync(path, 'utf8')).toBe(content);
});

test.each([
  ['an intent', '{"agent_id":"x","params":{"note":"-----BEGIN PRIVATE KEY-----\\n"},"signature":"00"}'],
  ['an export', '{"seq":1,"params":{"AGENT_PRIVATE_KEY":"[masked]"}}\n{"seq":2}\n'],
  ['a bundle', '{"type":"proof","passport":{"issuer_signature":"00"}}'],
  ['a public key', '-----BEGIN PUBLIC KEY-----\nMCo\n-----END PUBLIC KEY-----\n'],
  ['JSON of another kind', 'null'],
  ['nothing', ''],
])('%s is', async (_, content) => {
  const path = holding(content);
  await replaceOutput(path, 'new');
  expect(readFileSync(path, 'utf8')).toBe('new');
});

test('what is not there is written', async () => {
  const path = `${holding('')}-not`;
  await replaceOutput(path, 'new');
  expect(readFileSync(path, 'utf8')).toBe('new');
});
