/**
 * The help topics. A topic's text is loaded when it is asked for. In it, a line `# ...` is a heading, indented lines stay as they
 * are, and the others are prose, wrapped to the terminal.
 */

export interface Topic {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<{ text(): string }>;
}

export const TOPICS: readonly Topic[] = [
  { name: 'passports', summary: 'Who an agent is, and who says so', load: () => import('./topics/passports.js') },
  {
    name: 'approvals',
    summary: 'When a person has to say yes',
    load: () => import('./topics/approvals.js'),
  },
  { name: 'intents', summary: 'What an agent signs', load: () => import('./topics/intents.js') },
  { name: 'verification', summary: 'What is checked, in which order', load: () => import('./topics/verification.js') },
  { name: 'aip-1', summary: 'Agents of the Python package aip-protocol', load: () => import('./topics/aip-1.js') },
  { name: 'constraints', summary: 'The limits a passport can set', load: () => import('./topics/constraints.js') },
  {
    name: 'policy',
    summary: 'Trying a passport before it counts: cases, diff, replay',
    load: () => import('./topics/policy.js'),
  },
  {
    name: 'red-team',
    summary: 'Attacking a passport of your own',
    load: () => import('./topics/red-team.js'),
  },
  { name: 'guard', summary: 'In front of tools: programs and coding agents', load: () => import('./topics/guard.js') },
  { name: 'mesh', summary: 'Stopping agents everywhere: server, keys, copies', load: () => import('./topics/mesh.js') },
  {
    name: 'growing',
    summary: 'More than one machine: shared memory, PostgreSQL, regions, moving home',
    load: () => import('./topics/growing.js'),
  },
  { name: 'hosting', summary: 'Running a mesh: TLS, systemd, nginx', load: () => import('./topics/hosting.js') },
  { name: 'incident', summary: 'What to do when an agent goes rogue', load: () => import('./topics/incident.js') },
  {
    name: 'upgrade',
    summary: 'In which order a fleet is upgraded, and why',
    load: () => import('./topics/upgrade.js'),
  },
  {
    name: 'proof',
    summary: 'Showing a stranger what was done: bundles, checkpoints, witnesses',
    load: () => import('./topics/proof.js'),
  },
  {
    name: 'retention',
    summary: 'Keeping the log, and forgetting what is in it',
    load: () => import('./topics/retention.js'),
  },
  {
    name: 'logs',
    summary: 'The verification log: reading, proving, keeping it',
    load: () => import('./topics/logs.js'),
  },
  {
    name: 'trust-scores',
    summary: 'Health, trust scores, and the monitor',
    load: () => import('./topics/trust-scores.js'),
  },
  { name: 'keys', summary: 'Where private keys live', load: () => import('./topics/keys.js') },
  { name: 'config', summary: 'Config files, variables and folders', load: () => import('./topics/config.js') },
  { name: 'exit-codes', summary: 'What each exit code means', load: () => import('./topics/exit-codes.js') },
  { name: 'json', summary: 'Output for programs', load: () => import('./topics/json.js') },
  { name: 'security', summary: 'What a yes means, and what it rests on', load: () => import('./topics/security.js') },
  { name: 'ci', summary: 'Scripts and CI', load: () => import('./topics/ci.js') },
];
