/** `log.retention`, carried out by commands that write the log. */
import { counted } from '../render/terminal/text.js';
import { isDue, keepWithin, type Retention } from '../../app/logs/retention.js';
import type { StatementKey } from '../../app/logs/statements.js';
import { fromHex } from '../../protocol/hex.js';
import { clockAhead } from '../../app/ports/mesh.js';
import { parsePublicKey } from '../../protocol/identity/keys.js';
import { machineKey } from '../../workspace/mesh.js';
import { localState } from '../../workspace/state.js';
import type { Notices } from '../output.js';
import type { Surroundings } from '../io.js';
import type { Setting } from '../setting.js';
import type { Lifetime } from '../../workspace/workspace.js';
import { configuredCopy, meshAccess } from '../mesh/access.js';
import { trustRules } from '../config/trust-rules.js';

/** What these functions need of a command. */
type Scene = Setting & Notices & Surroundings;

/** How long entries are to be kept here, and by which clock; null where they are kept for good. */
export async function retentionOf(cli: Scene, keepMs: number | null): Promise<Retention | null> {
  if (keepMs === null) return null;
  const access = await meshAccess(cli);
  const aheadMs = access === null ? 0 : clockAhead(await configuredCopy(cli));
  return { keepMs, now: cli.io.now(), aheadMs, meshKey: access === null ? null : parsePublicKey(access.publicKey) };
}

/** This machine's own key, as it signs statements about its log. */
export async function machineStatementKey({ workspace }: Pick<Setting, 'workspace'>): Promise<StatementKey> {
  const { key } = await machineKey(workspace);
  return {
    keyId: MACHINE_KEY,
    publicKey: parsePublicKey(key.publicKey)!,
    sign: async (bytes) => Promise.resolve(fromHex(key.sign(Buffer.from(bytes).toString('utf8')))!),
  };
}

/** What statements call the key beside the state file. */
const MACHINE_KEY = 'verifier.key';

/** Lets go what is older than `log.retention`, a part of it. What goes wrong is said and stops nothing: nothing was asked for. */
export async function letGo(cli: Scene): Promise<void> {
  const config = await cli.config();
  const keepMs = config.get('log.retention');
  if (keepMs === null) return;
  try {
    const state = await localState(cli.workspace);
    const retention = await retentionOf(cli, keepMs);
    if (retention === null || !isDue(state, retention)) return;
    state.conduct.judgeBy(trustRules(config));
    const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const gone = await keepWithin(state, retention, await machineStatementKey(cli), pause);
    if (gone > 0)
      cli.detail(`log.retention: ${counted(gone, 'entry was', 'entries were')} let go; a signed summary is left`);
  } catch (error) {
    const why = error instanceof Error ? error.message : 'it failed';
    cli.warn(`log.retention was not carried out: ${why}`, 'retention_failed');
  }
}

const EVERY_MS = 3_600_000;

/** The same now and every hour, for a command that goes on, until it ends. */
export async function letGoHourly(cli: Scene & Lifetime): Promise<void> {
  if ((await cli.config()).get('log.retention') === null) return;
  await letGo(cli);
  const timer = setInterval(() => void letGo(cli), EVERY_MS);
  timer.unref();
  cli.afterwards(() => clearInterval(timer));
}
