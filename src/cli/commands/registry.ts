/**
 * Every command, in the order help shows them. Only the chosen one is loaded; the summary stands here as well so that the list
 * can be printed without loading any (a test keeps both equal).
 */
import type { CommandSpec } from '../spec.js';

export interface Listing {
  readonly path: readonly string[];
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: CommandSpec }>;
}

export interface Section {
  readonly title: string;
  readonly commands: readonly Listing[];
}

function at(words: string, summary: string, load: Listing['load']): Listing {
  return { path: words.split(' '), summary, load };
}

export const SECTIONS: readonly Section[] = [
  {
    title: 'Start here',
    commands: [
      at(
        'demo',
        'Watch an agent be stopped, in a throwaway folder: no questions, nothing leaves this machine',
        () => import('./demo.js'),
      ),
      at(
        'init',
        'Set this machine up: config, key store, and the key its passports are signed with',
        () => import('./init.js'),
      ),
      at(
        'doctor',
        'Check that this machine is set up well: config, state, clock, keys, passports',
        () => import('./doctor.js'),
      ),
    ],
  },
  {
    title: 'Passports: who an agent is and what it may do',
    commands: [
      at(
        'passport create',
        'Make an agent a key pair and a passport that its principal signs',
        () => import('./passport-create.js'),
      ),
      at('passport list', 'List the passports this machine knows', () => import('./passport-list.js')),
      at('passport show', 'Show who an agent is and what it may do', () => import('./passport-show.js')),
      at(
        'passport verify',
        'Check that a passport is whole, signed by a pinned principal, and in force',
        () => import('./passport-verify.js'),
      ),
      at(
        'passport rotate',
        'Give an agent a new key, and have its principal sign the passport again',
        () => import('./passport-rotate.js'),
      ),
      at(
        'passport import',
        'Make a passport known on this machine, after checking who signed it',
        () => import('./passport-import.js'),
      ),
      at('passport export', "Write an agent's public identity in another form", () => import('./passport-export.js')),
      at('passport lint', 'Warn where a passport permits more than it needs to', () => import('./passport-lint.js')),
      at(
        'passport delete',
        "Forget a passport and destroy the agent's private keys on this machine",
        () => import('./passport-delete.js'),
      ),
    ],
  },
  {
    title: 'Principals: who answers for agents',
    commands: [
      at(
        'principal list',
        'List the principals whose passports this machine believes',
        () => import('./principal-list.js'),
      ),
      at(
        'principal add',
        "Pin a principal's public key, so that passports it signed are believed here",
        () => import('./principal-add.js'),
      ),
      at(
        'principal remove',
        'Unpin a principal: its passports are no longer believed here',
        () => import('./principal-remove.js'),
      ),
    ],
  },
  {
    title: 'Intents: what an agent asks to do',
    commands: [
      at('intent sign', 'Sign what an agent intends to do', () => import('./intent-sign.js')),
      at(
        'intent verify',
        'Decide whether an agent may do what it signed, before it does',
        () => import('./intent-verify.js'),
      ),
      at('intent inspect', 'Decode an intent without judging it', () => import('./intent-inspect.js')),
      at(
        'approve',
        "Sign a person's approval of exactly one intent, for verifiers that ask for one",
        () => import('./approve.js'),
      ),
      at('exec', 'Run a command only if the agent may do what it stands for', () => import('./exec.js')),
    ],
  },
  {
    title: 'AIP-1: agents of the Python package',
    commands: [
      at(
        'mandate issue',
        'Sign what a principal allows an agent, for verifiers of AIP-1',
        () => import('./mandate-issue.js'),
      ),
      at(
        'mandate verify',
        'Check who granted a mandate, to whom, and whether it is in force',
        () => import('./mandate-verify.js'),
      ),
      at(
        'conformance',
        'Run the AIP-1 conformance cases against this verifier, and report',
        () => import('./conformance.js'),
      ),
    ],
  },
  {
    title: 'The kill switch',
    commands: [
      at('revoke', 'Stop an agent everywhere, until it is reinstated', () => import('./revoke.js')),
      at('suspend', 'Stop an agent everywhere for a time', () => import('./suspend.js')),
      at('reinstate', 'Let an agent act again after it was revoked or suspended', () => import('./reinstate.js')),
      at('status', 'Say whether an agent is active, suspended or revoked, and why', () => import('./status.js')),
      at('mesh serve', 'Serve a mesh: the kill switch that other machines listen to', () => import('./mesh-serve.js')),
      at(
        'mesh join',
        'Make this machine listen to a mesh, and pin the key that the mesh signs with',
        () => import('./mesh-join.js'),
      ),
      at(
        'mesh follow',
        "Keep this machine's copy of the mesh current, and ship its verification log",
        () => import('./mesh-follow.js'),
      ),
      at('mesh watch', 'Show the events of the mesh as they come', () => import('./mesh-watch.js')),
      at(
        'mesh status',
        'Show the mesh, how far the copy here is, and every verifier that listens',
        () => import('./mesh-status.js'),
      ),
      at(
        'mesh drill',
        'Prove on the live mesh that an agent can be stopped, and how fast',
        () => import('./mesh-drill.js'),
      ),
      at(
        'mesh key create',
        'Make an API key that lets a machine into the mesh, and show it this once',
        () => import('./mesh-key-create.js'),
      ),
      at('mesh key list', 'List the API keys of the mesh, without their secrets', () => import('./mesh-key-list.js')),
      at(
        'mesh key revoke',
        'Take an API key out of force, and end what listens with it',
        () => import('./mesh-key-revoke.js'),
      ),
    ],
  },
  {
    title: 'The verification log',
    commands: [
      at('logs tail', 'Show verification log entries, and follow them as they come', () => import('./logs-tail.js')),
      at(
        'logs verify',
        'Check that nobody changed, removed, reordered or added entries of the verification log',
        () => import('./logs-verify.js'),
      ),
      at(
        'logs checkpoint',
        'Sign where the verification log ends now, so that a cut-off end is found',
        () => import('./logs-checkpoint.js'),
      ),
      at('logs export', 'Write the verification log in a form that other tools read', () => import('./logs-export.js')),
      at(
        'logs prune',
        'Remove old entries, leaving a signed summary so that the chain still verifies',
        () => import('./logs-prune.js'),
      ),
    ],
  },
  {
    title: 'How agents behave',
    commands: [
      at(
        'health',
        'Report how agents behave: trust, failure rates, warnings, recent failures',
        () => import('./health.js'),
      ),
      at('trust', "Show an agent's trust score, and every event that moved it", () => import('./trust.js')),
      at('monitor', 'Watch how agents behave, tell people, and stop agents that must be', () => import('./monitor.js')),
    ],
  },
  {
    title: 'Configuration and help',
    commands: [
      at('config list', 'Show every config key, its value, and where it came from', () => import('./config-list.js')),
      at(
        'config trust',
        "Allow this folder's config file to set the mesh, pins and hooks",
        () => import('./config-trust.js'),
      ),
      at('explain', 'Explain a refusal code: meaning, facts, remedy, exit code', () => import('./explain.js')),
      at('completion', 'Print the completion script of a shell', () => import('./completion.js')),
      at('help', 'Show help for a command or a topic', () => import('./help.js')),
    ],
  },
];

/** Not shown: what the completion scripts call. */
export const HIDDEN: readonly Listing[] = [at('__complete', 'Print completions', () => import('./complete.js'))];

export const COMMANDS: readonly Listing[] = [...SECTIONS.flatMap((section) => section.commands), ...HIDDEN];
