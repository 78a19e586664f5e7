/** The server's numbers in the Prometheus text format. */
import { textReply, type Reply } from './http/exchange.js';
import type { MeshServer } from './mesh-server.js';

export async function metrics(server: MeshServer): Promise<Reply> {
  const { hub, committer, gate, head } = server;
  const lines = [
    ...metric('aip_mesh_head_seq', 'gauge', 'Last event of the log.', [['', head.seq]]),
    ...metric('aip_mesh_streams', 'gauge', 'Open streams.', [['', hub.size]]),
    ...metric('aip_mesh_pollers', 'gauge', 'Verifiers that poll.', [['', server.pollers.size]]),
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
      ['', Math.floor(server.clock.up() / 1000)],
    ]),
    ...metric('aip_mesh_requests_total', 'counter', 'Requests answered.', [...server.requests]),
  ];
  return textReply(200, 'text/plain; version=0.0.4; charset=utf-8', `${lines.join('\n')}\n`);
}

function metric(name: string, type: string, help: string, samples: readonly (readonly [string, number])[]): string[] {
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples.map(([labels, value]) => `${name}${labels} ${value}`),
  ];
}
