import { requireMesh } from '../../mesh/access.js';
import { FollowTeller } from '../../mesh/following.js';
import { announceLeaving, arrives, hasDeparted, listeningVerifier, nameMachine } from '../../mesh/listening.js';
import { requestRelay } from '../../approvals/relay.js';
import { startShipping } from '../../mesh/shipping.js';
import { PASSPHRASE_OPTIONS } from '../../input/options.js';
import { isLabel } from '../../../mesh/roster/member.js';
import { noteFollowing } from '../../../app/ports/mesh.js';
import { letGoHourly } from '../../logs/retention.js';
import type { CommandSpec } from '../../spec.js';
import type { KeyPlaces } from '../../../workspace/keys.js';
import { passportFetcher } from '../../../app/mesh/passports.js';
import { meshFollower, meshLines } from '../../../workspace/mesh.js';
import { localState } from '../../../workspace/state.js';
import { apiKey, configuredCopy } from '../../mesh/access.js';

interface Options extends KeyPlaces {
  readonly label?: string;
  readonly name?: string;
}

export const command: CommandSpec<Options> = {
  path: ['mesh', 'follow'],
  summary: "Keep this machine's copy of the mesh current, and ship its verification log",
  detail: 'Runs until it is stopped, as a service does; every verification on this machine looks into the same copy.',
  options: [
    {
      title: 'Flags',
      options: [
        {
          flags: '--label <label>',
          description: 'what people call this verifier (default: the label of its API key, else the name of this host)',
          value: name,
        },
        {
          flags: '--name <label>',
          description: 'the same, as earlier versions had it',
          value: name,
        },
        ...PASSPHRASE_OPTIONS,
      ],
    },
  ],
  examples: [
    { run: 'aip mesh follow', why: 'on a machine that verifies' },
    { run: 'aip mesh follow --json | jq .', why: 'every event as JSON, a line each; states are told on stderr' },
  ],
  exits: {
    3: 'the copy cannot be written',
    4: 'the key store is missing, locked or refuses',
    5: 'the mesh refuses the API key of this machine, again and again',
    130: 'stopped with Ctrl-C',
    143: 'terminated',
  },
  touches: ['network', 'state', 'keychain'],
  topics: ['mesh'],

  async run({ options }, cli) {
    const access = await requireMesh(cli);
    const [key, copy, state, config] = await Promise.all([
      apiKey(cli, options),
      configuredCopy(cli),
      localState(cli.workspace),
      cli.config(),
    ]);
    let broken: (error: unknown) => void = () => undefined;
    let departed: () => void = () => undefined;
    const ended = new Promise<void>((resolve, reject) => {
      broken = reject;
      departed = resolve;
    });
    const teller = new FollowTeller(cli, access.endpoints, (failure) => broken(failure));
    arrives(copy);
    nameMachine(copy, options.label ?? options.name ?? null);
    const lines = await meshLines(cli.workspace, access, key);
    const fetch = passportFetcher(lines, copy, state, cli.io.now);
    const relay = (await requestRelay(cli))!;
    const following = await meshFollower(cli.workspace, access, key, {
      ...teller.listener,
      verifier: await listeningVerifier(cli, copy),
      onPassports: fetch,
      onProof: () => {
        if (hasDeparted(copy)) return departed();
        noteFollowing(copy);
        fetch();
        relay.proven();
      },
      onApproval: relay.heard,
      maxAgeMs: config.get('revocation.max_age'),
      copy,
      onEvents: (events) => teller.events(events),
      onFailure: broken,
    });
    const stopShipping = await startShipping(cli, access, key);
    await letGoHourly(cli);
    cli.onInterrupt(async () => {
      // First, or a proof that comes in between would say that somebody follows.
      following.stop();
      await announceLeaving(cli, access, key, copy);
      await stopShipping();
      teller.finish();
    });
    following.start();
    try {
      await ended;
      following.stop();
      // It had come back in between.
      await announceLeaving(cli, access, key, copy);
      cli.note('This machine has left the mesh (aip mesh leave).');
      return 0;
    } finally {
      following.stop();
      await stopShipping();
    }
  },
};

function name(text: string): string {
  if (!isLabel(text)) throw new Error('Expected up to 64 letters, digits, spaces or "._@:/-".');
  return text;
}
