/** The demo's mesh: served on a free port of this machine, with one verifier that listens. */
import { performance } from 'node:perf_hooks';
import { join } from 'node:path';
import type { MeshStage, DemoStage } from '../../app/setup/demo.js';
import { drill, type DrillReport } from '../../app/mesh/drill.js';
import { giveOrder } from '../../app/mesh/orders.js';
import { saveUserConfig } from '../config/files.js';
import { meshSession } from '../mesh/session.js';
import { serveMesh } from '../../workspace/mesh/serving.js';
import { SYSTEM } from '../../workspace/world.js';
import { meshFollower } from '../../workspace/mesh.js';
import { configuredCopy } from '../mesh/access.js';
import type { Setting } from '../setting.js';
import type { Notices } from '../output.js';
import type { Lifetime } from '../../workspace/workspace.js';
import type { Surroundings } from '../io.js';

/** The longest that anything here may take, in ms. */
const PATIENCE_MS = 3_000;

export async function raiseMesh(
  stage: Setting & Notices & Lifetime & Surroundings,
  acting: DemoStage,
): Promise<{ mesh: MeshStage; drilled: () => Promise<DrillReport> }> {
  const data = join(stage.workspace.paths().stateDir, 'mesh');
  const serving = await serveMesh(SYSTEM, {
    data,
    host: '127.0.0.1',
    port: 0,
    tls: null,
    requireSignedCommands: false,
    operatorKey: null,
    onBug: (error) => stage.warn(String(error)),
  });
  stage.afterwards(() => serving.close());
  saveUserConfig(stage.workspace.paths(), {
    'mesh.url': serving.url,
    'mesh.public_key': serving.publicKey,
    'mesh.key_file': serving.adminKeyFile,
  });
  const { access, key, lines, check } = await meshSession(stage, {});
  let live: () => void = () => undefined;
  const listening = new Promise<void>((resolve) => (live = resolve));
  const following = await meshFollower(stage.workspace, access, key, {
    verifier: 'demo',
    maxAgeMs: 30_000,
    copy: await configuredCopy(stage),
    onState: (_, to) => void (to === 'live' && live()),
    onFailure: (error) => stage.warn(String(error)),
  });
  stage.afterwards(() => following.stop());
  following.start();
  await Promise.race([listening, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS).unref())]);
  const deps = { lines, clock: stage.io.now, random: stage.workspace.world.random, signer: null, waitMs: 1_000 };
  const subject = acting.passport.agent_id;
  return {
    mesh: {
      ...acting,
      order: async (action) => {
        const started = performance.now();
        const { outcome } = await giveOrder(deps, { action, subject, reason: 'demo', by: null, durationMs: null });
        const took = Math.round(performance.now() - started);
        const { propagated_to, connected } = outcome;
        return `aip ${action}: on disk, and applied by ${propagated_to} of ${connected} listening verifiers, ${took} ms after the command.`;
      },
    },
    drilled: () => drill({ ...deps, check }, { withinMs: 1_000, rounds: 5 }),
  };
}
