/** An agent in a home of its own, whose every action needs a person: what a hook makes of that is tried without asking anybody. */
import { join } from 'node:path';
import { createPassport } from '../../app/passports/issue.js';
import { AGENT_KEY_VARIABLE } from '../../app/keys/keyring.js';
import { shellWord } from '../../app/failure.js';
import { formatSeed } from '../../protocol/identity/keys.js';
import { createFile, temporaryFolder } from '../../workspace/files.js';
import { issuing, passingKeys } from '../../workspace/keys.js';
import { localWorkspace } from '../../workspace/workspace.js';
import type { Setting } from '../setting.js';
import type { Surroundings } from '../io.js';

/** Its only action. */
export const CANARY_TOOL = 'aip_canary';

/** How a command of `aip` speaks for it. */
export interface Canary {
  /** What stands behind the command's own words: of a flag that is given twice, the later one counts. */
  readonly words: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Makes it for as long as `use` takes. Nothing of this machine's keys, state, config or variables is in it. */
export async function withCanary<T>(
  { io, workspace }: Setting & Surroundings,
  use: (canary: Canary) => Promise<T>,
): Promise<T> {
  const { path: home, remove } = temporaryFolder('aip-canary-');
  workspace.afterwards(remove);
  const own = /^(AIP_|AGENT_PRIVATE_KEY$)/i;
  const env = Object.fromEntries(Object.entries(io.env).filter(([name]) => !own.test(name)));
  const world = { ...workspace.world, env, cwd: home, home, onlyReads: false, askSecret: null };
  const place = localWorkspace(world);
  try {
    const config = join(home, 'canary.config.json');
    await createFile(config, '{}\n');
    const keys = await passingKeys();
    const deps = { ...(await issuing(place, {})), store: () => Promise.resolve(keys) };
    const seed = world.random(32);
    const { passport, key } = await createPassport(deps, {
      name: 'aip-canary',
      domain: 'canary.invalid',
      actions: [CANARY_TOOL],
      deniedActions: [],
      constraints: { require_approval: true },
      metadata: {},
      expiresInMs: null,
      path: null,
      keyStore: 'keychain',
      principalKeyStore: 'keychain',
      seed,
    });
    // It is held nowhere but in the variable.
    deps.state.forgetKey(key.keyId);
    const words = ['--passport', passport.agent.id, '--home', home, '--config', config].map(shellWord).join(' ');
    return await use({ words, env: { ...env, AIP_HOME: home, [AGENT_KEY_VARIABLE]: formatSeed(seed) } });
  } finally {
    await place.close();
    remove();
  }
}
