/** The server's numbers in the Prometheus text format. */
import { textReply, type Reply, type Request } from './http/exchange.js';
import type { Member } from '../roster/member.js';
import type { MeshServer } from './mesh-server.js';
import { listenersAtHome } from './regions/listeners.js';

/** `GET /metrics`, in the text format of Prometheus. */
export async function metrics(server: MeshServer, request: Request): Promise<Reply> {
  const { hub, committer, gate, head } = server;
  const listening = await listeningOf(server, request);
  const usage = await server.store.logs.usage();
  const lines = [
    ...metric('aip_mesh_log_bytes', 'gauge', 'Bytes of shipped logs.', [['', usage.bytes]]),
    ...metric('aip_mesh_log_quota_bytes', 'gauge', 'Most bytes of shipped logs.', [['', usage.quota]]),
    ...metric('aip_mesh_log_shed_total', 'counter', 'Oldest entries shed to stay within the quota.', [
      ['', usage.shed],
    ]),
    ...metric('aip_mesh_log_refused_total', 'counter', 'Shipments and checkpoints of logs refused.', [
      ['{reason="full"}', server.shipping.full],
      ['{reason="rate"}', server.shipping.limited],
      ['{reason="fork"}', server.shipping.forked],
      ['{reason="older"}', server.shipping.older],
    ]),
    ...metric('aip_mesh_head_seq', 'gauge', 'Last event of the log.', [['', head.seq]]),
    ...metric('aip_mesh_streams', 'gauge', 'Open streams.', [['', hub.size]]),
    ...metric('aip_mesh_pollers', 'gauge', 'Verifiers that poll.', [['', server.pollers.size]]),
    ...metric('aip_mesh_roster', 'gauge', 'Verifiers that should listen.', of(listening.roster)),
    ...metric(
      'aip_mesh_verifiers_absent',
      'gauge',
      'Verifiers on the roster that do not listen.',
      of(listening.absent),
    ),
    ...metric(
      'aip_mesh_verifier_lag_events',
      'gauge',
      'Events that a verifier has not confirmed; of several with one label, the most.',
      lagsOf(listening.members, head.seq),
    ),
    ...metric(
      'aip_mesh_decisions_total',
      'counter',
      'Decisions that verifiers have shipped, by result and code; the code is empty for a yes.',
      [...server.decisions.counts()].map(({ result, code, count }) => [
        `{result="${result}",code="${escaped(code)}"}`,
        count,
      ]),
    ),
    ...metric('aip_mesh_sealed', 'gauge', '1 where a higher term was proven to this server.', [
      ['', server.prover.sealed === null ? 0 : 1],
    ]),
    ...metric('aip_mesh_bare_claims_total', 'counter', 'Higher terms that were claimed and not proven.', [
      ['', server.prover.bareClaims],
    ]),
    ...metric('aip_mesh_store_troubles_total', 'counter', 'Times that the store did not answer.', [
      ['', server.storeTroubles],
    ]),
    ...metric('aip_mesh_streams_cut_total', 'counter', 'Streams cut because the reader took nothing.', [
      ['', hub.slowCut],
    ]),
    ...metric('aip_mesh_commits_total', 'counter', 'Durable commits.', [['', committer.commits]]),
    ...metric('aip_mesh_events_appended_total', 'counter', 'Events written by this process.', [
      ['', committer.appended],
    ]),
    ...metric('aip_mesh_commands_waiting', 'gauge', 'Commands waiting for a commit.', [['', committer.waiting]]),
    ...metric('aip_mesh_auth_failures_total', 'counter', 'Requests without a valid key.', [['', gate.failures]]),
    ...metric('aip_mesh_uptime_seconds', 'gauge', 'Time since the start.', [
      ['', Math.floor((server.clock.up() - server.beganAt) / 1000)],
    ]),
    ...metric('aip_mesh_requests_total', 'counter', 'Requests answered.', [...server.requests]),
  ];
  return textReply(200, 'text/plain; version=0.0.4; charset=utf-8', `${lines.join('\n')}\n`);
}

/**
 * Who listens, over the whole mesh. A region hears of its own verifiers alone: it asks home for the counts, null where home gives none,
 * and has lines for those who listen to it.
 */
async function listeningOf(server: MeshServer, request: Request) {
  const { roster, prover, options } = server;
  const [members, absent] = [roster.all(), roster.absent()];
  if (options.upstream === undefined) return { roster: members.length, absent: absent.length, members };
  const asked = { ...request, path: '/v1/mesh/status', query: new URLSearchParams() };
  const homes = prover.sealed === null ? await listenersAtHome(options.upstream, asked) : null;
  return {
    roster: homes?.roster ?? null,
    absent: homes?.absent_total ?? null,
    members: members.filter((member) => !absent.includes(member)),
  };
}

/** One sample, or none where it is not known. */
function of(value: number | null): (readonly [string, number])[] {
  return value === null ? [] : [['', value]];
}

/** Of two samples with the same labels Prometheus keeps one, and which lags would be left to chance. */
function lagsOf(members: readonly Member[], head: number): (readonly [string, number])[] {
  const lags = new Map<string, number>();
  for (const { label, keyId, seq } of members) {
    const labels = `{verifier="${escaped(label)}",key_id="${keyId}"}`;
    lags.set(labels, Math.max(lags.get(labels) ?? 0, head - seq));
  }
  return [...lags].slice(0, MAX_LABELS);
}

/** Most verifiers with a line of their own. */
const MAX_LABELS = 1_000;

/** A label's value as Prometheus reads it. */
function escaped(text: string): string {
  return text.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`));
}

function metric(name: string, type: string, help: string, samples: readonly (readonly [string, number])[]): string[] {
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples.map(([labels, value]) => `${name}${labels} ${value}`),
  ];
}
