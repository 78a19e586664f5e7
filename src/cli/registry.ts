/**
 * Every command, in the order help shows them. Only the chosen one is loaded; the summary stands here as well so that the list
 * can be printed without loading any (a test keeps both equal).
 */
import { at } from './listing.js';
import type { Listing, Section } from './spec.js';
import { PASSPORT_COMMANDS } from './passport-commands.js';
import { POLICY_COMMANDS } from './policy-commands.js';
import { TOOL_COMMANDS } from './tool-commands.js';

export const SECTIONS: readonly Section[] = [
  {
    title: 'Start here',
    commands: [
      at(
        'demo',
        'Watch an agent be stopped, in a throwaway folder: no questions, nothing leaves this machine',
        () => import('./commands/demo.js'),
      ),
      at(
        'init',
        'Set this machine up: config, key store, and the key its passports are signed with',
        () => import('./commands/init.js'),
      ),
      at(
        'doctor',
        'Check that this machine is set up well: config, state, clock, keys, passports',
        () => import('./commands/doctor.js'),
      ),
    ],
  },
  PASSPORT_COMMANDS,
  {
    title: 'Keys: what this machine signs with',
    commands: [
      at(
        'key import',
        'Take a private key that you have into a key store of this machine',
        () => import('./commands/key/import.js'),
      ),
      at(
        'key list',
        'List the private keys that this machine holds, and where',
        () => import('./commands/key/list.js'),
      ),
      at(
        'key show',
        'Show a public key in every form, and where its private half is kept',
        () => import('./commands/key/show.js'),
      ),
      at(
        'key export',
        'Write the public half of a key in the form that another program reads',
        () => import('./commands/key/export.js'),
      ),
    ],
  },
  {
    title: 'Principals: who answers for agents',
    commands: [
      at(
        'principal list',
        'List the principals whose passports this machine believes',
        () => import('./commands/principal/list.js'),
      ),
      at(
        'principal add',
        "Pin a principal's public key, so that passports it signed are believed here",
        () => import('./commands/principal/add.js'),
      ),
      at(
        'principal remove',
        'Unpin a principal: its passports are no longer believed here',
        () => import('./commands/principal/remove.js'),
      ),
    ],
  },
  {
    title: 'Intents: what an agent asks to do',
    commands: [
      at('intent sign', 'Sign what an agent intends to do', () => import('./commands/intent/sign.js')),
      at(
        'intent verify',
        'Decide whether an agent may do what it signed, before it does',
        () => import('./commands/intent/verify.js'),
      ),
      at('intent inspect', 'Decode an intent without judging it', () => import('./commands/intent/inspect.js')),
      at('approve', "Sign a person's approval of an intent or a request", () => import('./commands/approve.js')),
      at('approvals list', 'List the requests that wait for a person', () => import('./commands/approvals/list.js')),
      at('approvals show', 'Show exactly what a person is asked for', () => import('./commands/approvals/show.js')),
      at('approvals approve', 'Let a request run once', () => import('./commands/approvals/approve.js')),
      at('approvals deny', 'End a request by a signed denial', () => import('./commands/approvals/deny.js')),
      at('approvals watch', 'Show requests as they come', () => import('./commands/approvals/watch.js')),
      at('exec', 'Run a command only if the agent may do what it stands for', () => import('./commands/exec.js')),
      at('outcome', 'Record what became of an accepted intent', () => import('./commands/outcome.js')),
    ],
  },
  TOOL_COMMANDS,
  {
    title: 'AIP-1: agents of the Python package',
    commands: [
      at(
        'mandate issue',
        'Sign what a principal allows an agent, for verifiers of AIP-1',
        () => import('./commands/mandate/issue.js'),
      ),
      at(
        'mandate verify',
        'Check who granted a mandate, to whom, and whether it is in force',
        () => import('./commands/mandate/verify.js'),
      ),
      at(
        'conformance',
        'Run the AIP-1 conformance cases against this verifier, and report',
        () => import('./commands/conformance.js'),
      ),
    ],
  },
  {
    title: 'The kill switch',
    commands: [
      at('revoke', 'Stop an agent everywhere, until it is reinstated', () => import('./commands/revoke.js')),
      at('suspend', 'Stop an agent everywhere for a time', () => import('./commands/suspend.js')),
      at(
        'reinstate',
        'Let an agent act again after it was revoked or suspended',
        () => import('./commands/reinstate.js'),
      ),
      at(
        'status',
        'Say whether an agent is active, suspended or revoked, and why; without one, all that is stopped',
        () => import('./commands/status.js'),
      ),
      at(
        'mesh serve',
        'Serve a mesh: the kill switch that other machines listen to',
        () => import('./commands/mesh/serve.js'),
      ),
      at(
        'mesh join',
        'Make this machine listen to a mesh, and pin the key that the mesh signs with',
        () => import('./commands/mesh/join.js'),
      ),
      at(
        'mesh follow',
        "Keep this machine's copy of the mesh current, and ship its verification log",
        () => import('./commands/mesh/follow.js'),
      ),
      at('mesh watch', 'Show the events of the mesh as they come', () => import('./commands/mesh/watch.js')),
      at(
        'mesh status',
        'Show the mesh, how far the copy here is, and every verifier that listens',
        () => import('./commands/mesh/status.js'),
      ),
      at(
        'mesh drill',
        'Prove on the live mesh that an agent can be stopped, and how fast',
        () => import('./commands/mesh/drill.js'),
      ),
      at('mesh backup', 'Write the mesh served here into one private file', () => import('./commands/mesh/backup.js')),
      at(
        'mesh restore',
        'Put a mesh back, and list what must be given again',
        () => import('./commands/mesh/restore.js'),
      ),
      at(
        'mesh migrate',
        'Copy a mesh from its folder into PostgreSQL, or back, and compare both ends',
        () => import('./commands/mesh/migrate.js'),
      ),
      at(
        'mesh promote',
        'Make a mesh that followed, or was sealed, the home: under a greater term',
        () => import('./commands/mesh/promote.js'),
      ),
      at(
        'mesh principal add',
        'Have the mesh take the passports that a principal signs with a key',
        () => import('./commands/mesh/principal/add.js'),
      ),
      at(
        'mesh principal remove',
        'Have the mesh take no passports of a principal any more, or none of one key of it',
        () => import('./commands/mesh/principal/remove.js'),
      ),
      at(
        'mesh passport withdraw',
        'Have the mesh demand nothing of the passport of an agent any more',
        () => import('./commands/mesh/passport/withdraw.js'),
      ),
      at('mesh leave', 'Make this machine listen to its mesh no more', () => import('./commands/mesh/leave.js')),
      at(
        'mesh forget',
        'Take a verifier off the roster that will not come back',
        () => import('./commands/mesh/forget.js'),
      ),
      at(
        'mesh key create',
        'Make an API key that lets a machine into the mesh, and show it this once',
        () => import('./commands/mesh/key/create.js'),
      ),
      at(
        'mesh key list',
        'List the API keys of the mesh, without their secrets',
        () => import('./commands/mesh/key/list.js'),
      ),
      at(
        'mesh key revoke',
        'Take an API key out of force, and end what listens with it',
        () => import('./commands/mesh/key/revoke.js'),
      ),
      at(
        'mesh log drop',
        'Have the mesh let a shipped log go that somebody made up',
        () => import('./commands/mesh/log/drop.js'),
      ),
    ],
  },
  {
    title: 'The verification log',
    commands: [
      at(
        'logs tail',
        'Show verification log entries, and follow them as they come',
        () => import('./commands/logs/tail.js'),
      ),
      at(
        'logs verify',
        'Check that nobody changed, removed, reordered or added entries of the verification log',
        () => import('./commands/logs/verify.js'),
      ),
      at(
        'logs checkpoint',
        'Sign where the verification log ends now, so that a cut-off end is found',
        () => import('./commands/logs/checkpoint.js'),
      ),
      at(
        'logs prove',
        'Write a bundle that shows a stranger one action: who, what, within which limits, and when',
        () => import('./commands/logs/prove.js'),
      ),
      at(
        'proof verify',
        'Check a bundle of aip logs prove, on any machine, by the keys you name',
        () => import('./commands/proof/verify.js'),
      ),
      at(
        'logs export',
        'Write the verification log in a form that other tools read',
        () => import('./commands/logs/export.js'),
      ),
      at(
        'logs erase',
        'Take a param out of the log for good, with what confirms a guess of it; proofs still hold',
        () => import('./commands/logs/erase.js'),
      ),
      at(
        'logs prune',
        'Remove old entries, leaving a signed summary so that the chain still verifies',
        () => import('./commands/logs/prune.js'),
      ),
    ],
  },
  POLICY_COMMANDS,
  {
    title: 'How agents behave',
    commands: [
      at(
        'health',
        'Report how agents behave: trust, failure rates, warnings, recent failures',
        () => import('./commands/health.js'),
      ),
      at('trust', "Show an agent's trust score, and every event that moved it", () => import('./commands/trust.js')),
      at(
        'monitor',
        'Watch how agents behave, tell people, and stop agents that must be',
        () => import('./commands/monitor.js'),
      ),
    ],
  },
  {
    title: 'Configuration and help',
    commands: [
      at(
        'state migrate',
        'Prepare the database in which verifiers share nonces, rates and spending',
        () => import('./commands/state/migrate.js'),
      ),
      at(
        'state verifier add',
        'Let the requests for approval of a verifier count on all machines that share the database',
        () => import('./commands/state/verifier/add.js'),
      ),
      at(
        'state verifier list',
        'List the verifiers whose requests for approval count on all machines that share the database',
        () => import('./commands/state/verifier/list.js'),
      ),
      at(
        'state verifier remove',
        'Let the requests for approval of a verifier count on no other machine any more',
        () => import('./commands/state/verifier/remove.js'),
      ),
      at(
        'config list',
        'Show every config key, its value, and where it came from',
        () => import('./commands/config/list.js'),
      ),
      at(
        'config trust',
        "Let this folder's config file count, as it is now",
        () => import('./commands/config/trust.js'),
      ),
      at('explain', 'Explain a refusal code, or list them all', () => import('./commands/explain.js')),
      at('completion', 'Print the completion script of a shell', () => import('./commands/completion.js')),
      at('help', 'Show help for a command or a topic', async () => ({
        command: (await import('./commands/help.js')).helpOf(SECTIONS),
      })),
    ],
  },
];

/** Not shown: what the completion scripts call. */
export const HIDDEN: readonly Listing[] = [
  at('__complete', 'Print completions', async () => ({
    command: (await import('./commands/complete.js')).completionOf(SECTIONS),
  })),
];

export const COMMANDS: readonly Listing[] = [...SECTIONS.flatMap((section) => section.commands), ...HIDDEN];
