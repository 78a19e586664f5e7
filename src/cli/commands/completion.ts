import { SCRIPTS, SHELLS, type Shell } from '../completion/scripts.js';
import type { CommandSpec } from '../spec.js';

export const command: CommandSpec = {
  path: ['completion'],
  summary: 'Print the completion script of a shell',
  detail: 'The script completes commands, flags, their values, and the agents and principals this machine knows.',
  args: [{ name: 'shell', description: 'which shell', choices: SHELLS }],
  examples: [
    { run: 'eval "$(aip completion bash)"', why: 'bash, in ~/.bashrc' },
    { run: 'source <(aip completion zsh)', why: 'zsh, in ~/.zshrc after compinit' },
    { run: 'aip completion fish > ~/.config/fish/completions/aip.fish', why: 'fish, once' },
    { run: 'aip completion powershell | Out-String | Invoke-Expression', why: 'PowerShell, in $PROFILE' },
  ],
  touches: [],
  run: async (input, cli) => {
    const shell = input.args[0] as Shell;
    if (cli.globals.json) cli.json({ shell, script: SCRIPTS[shell] });
    else cli.out(SCRIPTS[shell].trimEnd());
    return 0;
  },
};
