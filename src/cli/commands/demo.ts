import { checkLog } from '../../app/logs/check.js';
import { AGENT, MESH_STORY, playStory, STORY, type ActReport, type DemoStage } from '../../app/setup/demo.js';
import { createPassport } from '../../app/passports/issue.js';
import { signIntentNow } from '../../app/signing/intent.js';
import { verifyIntents } from '../../app/verification/intents.js';
import { passportOf, type Passport } from '../../protocol/passport.js';
import { parseJsonText } from '../../protocol/json/parse.js';
import type { Cli } from '../cli.js';
import { renderAct, renderEnd, renderOpening } from '../render/demo.js';
import type { CommandSpec } from '../spec.js';
import { raiseMesh } from '../demo/mesh.js';
import { throwaway } from '../shell/throwaway.js';
import { verification } from '../intents/verification.js';
import { issuing, passingKeys } from '../../workspace/keys.js';
import { localState } from '../../workspace/state.js';

/** Lines longer than this are hard to read. */
const WIDEST = 100;

export const command: CommandSpec = {
  path: ['demo'],
  summary: 'Watch an agent be stopped, in a throwaway folder: no questions, nothing leaves this machine',
  examples: [
    { run: 'aip demo', why: 'eight acts in a few seconds' },
    { run: "aip demo --json | jq '.acts[].decision'", why: 'the decisions as programs get them' },
  ],
  exits: { 1: 'an act did not end as it must' },
  touches: ['network'],
  topics: ['verification'],

  async run(_, cli) {
    const stage = await throwaway(cli);
    const { passport, acting } = await raise(stage);
    const look = { paint: cli.paint, width: Math.min(cli.width ?? WIDEST, WIDEST) };
    const acts: ActReport[] = [];
    if (!cli.globals.json) cli.out(`${renderOpening(passport.document, look)}\n`);
    const show = (act: ActReport): void => {
      acts.push(act);
      if (!cli.globals.json) cli.out(`${renderAct(acts.length, act, look)}\n`);
    };
    for await (const act of playStory(acting, STORY)) show(act);
    const { mesh, drilled } = await raiseMesh(stage, acting);
    for await (const act of playStory(mesh, MESH_STORY)) show(act);
    const drill = await drilled();
    const log = await checkLog(await localState(stage.workspace), { newest: null, pause: async () => undefined });
    const surprises = acts.filter((act) => !act.asTold).length;
    const ok = surprises === 0 && log.ok && log.count === acts.length && drill.ok;
    if (cli.globals.json) {
      cli.json({
        ok,
        agent_id: passport.agent.id,
        acts: acts.map(({ tries, expected, asTold, judgement }) => ({
          tries,
          expected_code: expected,
          as_expected: asTold,
          decision: judgement.decision,
        })),
        drill,
        log: { ok: log.ok, count: log.count },
      });
    } else {
      const verified = acts.filter(({ judgement }) => judgement.decision.success).length;
      const end = { verified, refused: acts.length - verified, surprises, log, drill, program: program(cli) };
      cli.out(renderEnd(end, look));
    }
    return ok ? 0 : 1;
  },
};

/** Makes the agent, through the same use cases as `passport create`, `intent sign` and `intent verify`. */
async function raise(stage: Cli): Promise<{ passport: Passport; acting: DemoStage }> {
  // The user's keychain is not for throwaway keys, and an encrypted file would cost a key derivation a key.
  const keys = await passingKeys();
  const deps = { ...(await issuing(stage.workspace, {})), store: () => keys };
  const { passport } = await createPassport(deps, {
    ...AGENT,
    deniedActions: [],
    metadata: {},
    expiresInMs: null,
    path: `${stage.io.cwd}/${AGENT.name}.passport.json`,
    keyStore: 'keychain',
    principalKeyStore: 'keychain',
  });
  const record = deps.state.key(passport.currentKey.keyId)!;
  const held = { keyId: record.keyId, seed: await keys.read(record.ref) };
  return {
    passport,
    acting: {
      passport: passport.document,
      sign: ({ action, params, ageS = 0 }) =>
        signIntentNow(passport, held, {
          action,
          params,
          target: null,
          timestamp: Math.floor(stage.io.now() / 1000) - ageS,
          nonce: stage.workspace.world.random(16),
        }),
      verify: async (intent, document) => {
        const passports = document === undefined ? [] : [passportOf(parseJsonText(JSON.stringify(document)))];
        const { deps: verifier, options } = await verification(stage, {
          alone: true,
          passports,
          principalKey: [],
        });
        const bytes = Buffer.from(JSON.stringify(intent));
        const [judgement] = await verifyIntents(verifier, options, [{ bytes, source: null }]);
        return judgement!;
      },
    },
  };
}

/** After `npx aip demo` there is no `aip` on the path. */
function program(cli: Cli): string {
  return cli.io.env.npm_command === 'exec' ? 'npx aip' : 'aip';
}
