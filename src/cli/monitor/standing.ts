/** Who is stopped, as the monitor sees it, and how it stops an agent itself. */
import { Failure } from '../../app/failure.js';
import { proofAge, standingTime } from '../../app/ports/mesh.js';
import { MONITOR, type MonitorDeps } from '../../app/monitor/check.js';
import { meshAccess } from '../mesh/access.js';
import { obey } from '../mesh/orders/order.js';
import type { KeyPlaces } from '../../workspace/keys.js';
import { refreshCopy } from '../../workspace/mesh.js';
import { apiKey, configuredCopy } from '../mesh/access.js';
import type { Setting } from '../setting.js';
import type { Output } from '../output.js';
import type { Questioner } from '../questions/ask.js';
import type { Surroundings } from '../io.js';

export interface MonitorStanding extends Pick<MonitorDeps, 'standing' | 'standingNow' | 'revoke'> {
  /** Brings this machine's copy up to date where that is needed; tells trouble once. */
  readonly refresh: () => Promise<void>;
}

/** How long a refresh may take, ms: a mesh that is down must not keep checks from happening. */
const REFRESH_MS = 2_000;

/** With `mayRevoke` a mesh without an API key is a failure at the start, and not when an agent must be stopped. */
export async function monitorStanding(
  cli: Setting & Output & Questioner & Surroundings,
  keys: KeyPlaces,
  mayRevoke: boolean,
): Promise<MonitorStanding> {
  const [mesh, copy, config] = await Promise.all([meshAccess(cli), configuredCopy(cli), cli.config()]);
  const key =
    mesh === null
      ? null
      : await apiKey(cli, keys).catch((error: unknown) => {
          if (mayRevoke || !(error instanceof Failure)) throw error;
          cli.warn(`The mesh is not asked, because there is no API key: ${error.message}`, error.code);
          return null;
        });
  const maxAge = config.get('revocation.max_age');
  let heard = true;
  return {
    standing: (subject) => copy.standing(subject),
    standingNow: (now) => standingTime(copy, now),
    async revoke(agentId, reason) {
      await obey(cli, mesh, { action: 'revoke', subject: agentId, reason, by: MONITOR, durationMs: null }, keys);
    },
    async refresh() {
      if (mesh === null || key === null) return;
      const age = proofAge(copy, cli.io.now());
      if (age !== null && age < maxAge / 2) return;
      const current = await refreshCopy(cli.workspace, mesh, { key, copy, maxAgeMs: maxAge, timeoutMs: REFRESH_MS });
      if (heard && !current) cli.warn('The mesh is not heard: who is revoked is as last known.', 'mesh_stale');
      heard = current;
    },
  };
}
