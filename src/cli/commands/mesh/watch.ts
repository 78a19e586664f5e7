import { recentEvents, standsAt } from '../../../app/mesh/recent.js';
import { FollowTeller } from '../../mesh/following.js';
import { meshSession } from '../../mesh/session.js';
import { subjectNamed } from '../../mesh/orders/subject.js';
import { PASSPHRASE_OPTIONS } from '../../input/options.js';
import type { MeshEvent } from '../../../mesh/log/event.js';
import type { CommandSpec } from '../../spec.js';
import { integer } from '../../input/values.js';
import type { KeyPlaces } from '../../../workspace/keys.js';
import { meshFollower } from '../../../workspace/mesh.js';

const EXITS = ['revoked', 'suspended', 'reinstated', 'any'] as const;

interface Options extends KeyPlaces {
  readonly lines: number;
  readonly agent?: string;
  readonly exitOn?: (typeof EXITS)[number];
}

const TYPE_OF = { revoked: 'revocation', suspended: 'suspension', reinstated: 'reinstatement' } as const;

export const command: CommandSpec<Options> = {
  path: ['mesh', 'watch'],
  summary: 'Show the events of the mesh as they come',
  detail:
    'A line an event on a terminal, a JSON object an event when piped. Every event is checked against the key of the mesh; missing ones are never hidden.',
  options: [
    {
      title: 'Flags',
      options: [
        {
          flags: '-n, --lines <n>',
          description: 'the newest so many first (default 20)',
          default: 20,
          value: integer(0, 200),
        },
        { flags: '--agent <agent>', description: 'only of this agent or principal', values: 'agent' },
        { flags: '--exit-on <what>', description: 'end with 15 at the first new event of this kind', choices: EXITS },
        ...PASSPHRASE_OPTIONS,
      ],
    },
  ],
  examples: [
    { run: 'aip mesh watch', why: 'beside an incident' },
    { run: 'aip mesh watch -n 0 --exit-on revoked || ./page-someone.sh', why: 'wait for one' },
  ],
  exits: {
    4: 'the key store is missing, locked or refuses',
    5: 'the mesh cannot be reached, or refuses',
    15: '--exit-on was met',
    130: 'stopped with Ctrl-C',
    143: 'terminated',
  },
  touches: ['network', 'keychain'],
  topics: ['mesh', 'json'],

  async run({ options }, cli) {
    const subject = options.agent === undefined ? null : await subjectNamed(cli, options.agent, false);
    const { access, key, line, check } = await meshSession(cli, options);
    const shown = (event: MeshEvent): boolean => subject === null || event.agent_id === subject;
    const ends = (event: MeshEvent): boolean =>
      options.exitOn === 'any' || (options.exitOn !== undefined && event.type === TYPE_OF[options.exitOn]);
    const recent = await recentEvents(line, check, options.lines);
    let done: (code: number) => void = () => undefined;
    let broken: (error: unknown) => void = () => undefined;
    const ended = new Promise<number>((resolve, reject) => ([done, broken] = [resolve, reject]));
    const teller = new FollowTeller(cli, access.endpoints, (failure) => broken(failure));
    teller.events(recent.events.filter(shown));
    const following = await meshFollower(cli.workspace, access, key, {
      ...teller.listener,
      verifier: null,
      maxAgeMs: 30_000,
      copy: standsAt(recent.end),
      onEvents: (events) => {
        const mine = events.filter(shown);
        const last = mine.findIndex(ends);
        teller.events(last === -1 ? mine : mine.slice(0, last + 1));
        if (last !== -1) done(15);
      },
      onFailure: broken,
    });
    cli.afterwards(() => following.stop());
    cli.onInterrupt(() => {
      following.stop();
      teller.finish();
    });
    following.start();
    return ended;
  },
};
