/** Workspaces in folders that go away after the test, with a clock that moves when told to. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CreatedPassport, CreatePassportOptions, Workspace, WorkspaceOptions } from '../../src/index.js';
import { openWorkspace } from '../../src/index.js';
import { scratch } from '../kit/scratch.js';

export const AGENT = 'did:web:acme.com:agents:support-agent-v1';
/** 2026-02-18T14:23:45Z, in ms. */
export const T0 = 1_771_424_625_000;

export interface Workshop extends Workspace {
  readonly folder: string;
  readonly notices: string[];
  /** Moves the clock, in seconds. */
  wait(seconds: number): void;
  /** A second workspace on the same folder, as another process would have it. */
  again(options?: WorkspaceOptions): Workspace;
}

export function workshop(options: WorkspaceOptions = {}): Workshop {
  const path = scratch();
  const notices: string[] = [];
  let now = T0;
  const open = (more: WorkspaceOptions): Workspace => {
    const workspace = openWorkspace({
      home: join(path, 'home'),
      passphrase: 'correct horse',
      clock: () => now,
      onNotice: (notice) => void notices.push(notice),
      ...more,
    });
    onTestFinished(() => workspace.close());
    return workspace;
  };
  return Object.assign(open(options), {
    folder: path,
    notices,
    wait: (seconds: number) => void (now += seconds * 1000),
    again: (more: WorkspaceOptions = {}) => open(more),
  });
}

/** A private key that only tests know. */
export const KEY = `ed25519:${'5e'.repeat(32)}`;

/** The support agent of the guide. Its key is handed over, unless `keyStore` says otherwise: key files take their time. */
export function supportAgent(
  workspace: Workspace,
  changes: Partial<CreatePassportOptions> = {},
): Promise<CreatedPassport> {
  return workspace.createPassport({
    domain: 'acme.com',
    agentName: 'support-agent-v1',
    actions: ['send_email', 'issue_refund'],
    constraints: { monetary_limit: 100, allowed_domains: ['acme.com'], rate_limit: '10/hour' },
    ...(changes.keyStore === undefined ? { privateKey: KEY } : {}),
    ...changes,
  });
}

/** What a promise is rejected with. */
export async function refusal(promise: Promise<unknown>): Promise<Error & { code?: string; hint?: string | null }> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it was not refused');
}
