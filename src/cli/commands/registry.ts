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

export const SECTIONS: readonly Section[] = [
  {
    title: 'Configuration and help',
    commands: [
      {
        path: ['config', 'list'],
        summary: 'Show every config key, its value, and where it came from',
        load: () => import('./config-list.js'),
      },
      {
        path: ['config', 'trust'],
        summary: "Allow this folder's config file to set the mesh, pins and hooks",
        load: () => import('./config-trust.js'),
      },
      {
        path: ['completion'],
        summary: 'Print the completion script of a shell',
        load: () => import('./completion.js'),
      },
      {
        path: ['help'],
        summary: 'Show help for a command or a topic',
        load: () => import('./help.js'),
      },
    ],
  },
];

/** Not shown: what the completion scripts call. */
export const HIDDEN: readonly Listing[] = [
  { path: ['__complete'], summary: 'Print completions', load: () => import('./complete.js') },
];

export const COMMANDS: readonly Listing[] = [...SECTIONS.flatMap((section) => section.commands), ...HIDDEN];
