import { drill } from '../../../app/mesh/drill.js';
import { MAX_CONFIRM_WAIT_MS } from '../../../mesh/limits.js';
import { meshSession } from '../../mesh/session.js';
import { PASSPHRASE_OPTIONS } from '../../input/options.js';
import { renderDrill } from '../../render/mesh.js';
import { flowed } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';
import { durationMs, integer } from '../../input/values.js';
import type { KeyPlaces } from '../../../workspace/keys.js';
import { configuredSigner } from '../../mesh/access.js';

interface Options extends KeyPlaces {
  /** ms. */
  readonly within: number;
  readonly rounds: number;
  readonly challenge?: string;
}

export const command: CommandSpec<Options> = {
  path: ['mesh', 'drill'],
  summary: 'Prove on the live mesh that an agent can be stopped, and how fast',
  detail:
    'Revokes a canary that is no agent, waits until each verifier that reports has applied it, and reinstates it.',
  options: [
    {
      title: 'Flags',
      options: [
        {
          flags: '--within <duration>',
          description: 'how fast it must be (default 1s, at most 10s)',
          default: 1_000,
          value: within,
        },
        { flags: '--rounds <n>', description: 'how often (default 3)', default: 3, value: integer(1, 1_000) },
        {
          flags: '--challenge <hex>',
          description: '32 to 128 hex digits that every verifier answers with, signed with its own key',
          value: challenge,
        },
        ...PASSPHRASE_OPTIONS,
      ],
    },
  ],
  examples: [{ run: 'aip mesh drill --within 1s', why: 'weekly, from cron' }],
  exits: {
    4: 'the key store is missing, locked or refuses, or the role does not permit it',
    5: 'the mesh cannot be reached, or refuses',
    15: 'slower than --within, nobody listens who could confirm, or one that may still accept is absent',
  },
  touches: ['network', 'keychain'],
  topics: ['mesh', 'incident'],

  async run({ options }, cli) {
    const { lines, check } = await meshSession(cli, options);
    const signer = await configuredSigner(cli, options);
    const { random } = cli.workspace.world;
    const deps = { lines, check, clock: cli.io.now, random, signer, waitMs: options.within };
    const report = await drill(deps, {
      withinMs: options.within,
      rounds: options.rounds,
      challenge: options.challenge ?? null,
    });
    if (cli.globals.json) cli.json(report);
    else cli.out(flowed(renderDrill(report, cli.paint, cli.width), cli.width));
    if (!report.reinstated)
      cli.warn(
        `${report.canary} stays revoked: this API key may not reinstate. It is no agent, so nothing depends on it.`,
      );
    return report.ok ? 0 : 15;
  },
};

function challenge(text: string): string {
  if (!/^[0-9a-f]{32,128}$/.test(text)) throw new Error('Expected 32 to 128 hex digits in lower case.');
  return text;
}

function within(text: string): number {
  const ms = durationMs(text);
  if (ms < 1 || ms > MAX_CONFIRM_WAIT_MS) throw new Error('Expected a duration from 1ms to 10s.');
  return ms;
}
