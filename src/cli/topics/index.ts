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
  { name: 'passports', summary: 'Who an agent is, and who says so', load: () => import('./passports.js') },
  { name: 'intents', summary: 'What an agent signs', load: () => import('./intents.js') },
  { name: 'verification', summary: 'What is checked, in which order', load: () => import('./verification.js') },
  { name: 'aip-1', summary: 'Agents of the Python package aip-protocol', load: () => import('./aip-1.js') },
  { name: 'constraints', summary: 'The limits a passport can set', load: () => import('./constraints.js') },
  { name: 'mesh', summary: 'Stopping agents everywhere: server, keys, copies', load: () => import('./mesh.js') },
  { name: 'incident', summary: 'What to do when an agent goes rogue', load: () => import('./incident.js') },
  { name: 'logs', summary: 'The verification log: reading, proving, keeping it', load: () => import('./logs.js') },
  { name: 'trust-scores', summary: 'Health, trust scores, and the monitor', load: () => import('./trust-scores.js') },
  { name: 'keys', summary: 'Where private keys live', load: () => import('./keys.js') },
  { name: 'config', summary: 'Config files, variables and folders', load: () => import('./config.js') },
  { name: 'exit-codes', summary: 'What each exit code means', load: () => import('./exit-codes.js') },
  { name: 'json', summary: 'Output for programs', load: () => import('./json.js') },
  { name: 'security', summary: 'What a yes means, and what it rests on', load: () => import('./security.js') },
  { name: 'ci', summary: 'Scripts and CI', load: () => import('./ci.js') },
];
