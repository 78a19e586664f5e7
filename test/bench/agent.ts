/** An agent in a folder of its own, and as many fresh intents of it as a measurement wants. */
import { createPublicKey, randomBytes, sign, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openWorkspace, type AgentPassport, type Workspace } from '../../src/index.js';
import { intentBytes } from '../../src/protocol/intent.js';
import { privateKeyOf } from '../kit/keyring/ed25519.js';

const folder = mkdtempSync(join(tmpdir(), 'aip-bench-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

export interface Agent {
  readonly home: string;
  readonly workspace: Workspace;
  readonly passport: AgentPassport;
  readonly principalPublicKey: string;
  /** For the bare verification. */
  readonly publicKey: KeyObject;
  fresh(count: number): Signed[];
}

export interface Signed {
  readonly document: Uint8Array;
  /** What the signature is over. */
  readonly signedBytes: Uint8Array;
  readonly signature: Uint8Array;
}

/** A path that goes away with the process. */
export function place(name: string): string {
  return join(folder, name);
}

export async function agent(name: string): Promise<Agent> {
  const home = place(name);
  const seed = randomBytes(32);
  const workspace = openWorkspace({ home, passphrase: 'bench' });
  const passport = await workspace.createPassport({
    domain: 'acme.com',
    agentName: 'support-agent-v1',
    actions: ['send_email', 'issue_refund'],
    constraints: { monetary_limit: 100, allowed_domains: ['acme.com'] },
    privateKey: `ed25519:${seed.toString('hex')}`,
    principalKeyStore: 'file',
  });
  const key = privateKeyOf(seed);
  let made = 0;
  const fresh = (count: number): Signed[] =>
    Array.from({ length: count }, () => {
      const unsigned = {
        agent_id: passport.agentId,
        action: 'issue_refund',
        params: { order_id: String(8472 + made++), amount: 50 },
        key_id: passport.keyId,
        timestamp: Math.floor(Date.now() / 1000),
        nonce: randomBytes(16).toString('hex'),
      };
      const signedBytes = intentBytes(unsigned);
      const signature = sign(null, signedBytes, key);
      const document = Buffer.from(JSON.stringify({ ...unsigned, signature: signature.toString('hex') }));
      return { document, signedBytes, signature };
    });
  const { principalPublicKey } = passport;
  return { home, workspace, passport, principalPublicKey, publicKey: createPublicKey(key), fresh };
}
