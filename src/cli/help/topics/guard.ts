export function text(): string {
  return `# In front of tools

A tool that runs only when its intent verifies: sign, verify, log, and only then run. What runs is the value that was verified, and a
failure of aip is never a yes.

# Programs in any language

  aip serve --as support-agent-v1

listens on a socket (serve/aip.sock beside state.db, in a folder of mode 0700), with --listen on a loopback port as well.

  POST /v1/guard    {agent_id, action, params, target}: signs, verifies, logs; the answer is the decision
  POST /v1/verify   a signed intent: the decision; application/x-ndjson: a line in, a line out
  POST /v1/sign     {agent_id, action, params, target}: the signed intent
  POST /access/v1/evaluation    AuthZEN 1.0; context.aip_intent holds a signed intent, context.dry_run spends nothing
  POST /v1/hooks/<agent>        a coding agent's pre-tool event
  GET  /healthz /metrics /openapi.json /.well-known/authzen-configuration

A yes and a no are both 200; every other status decided nothing. A port takes "Authorization: Bearer <token>" of --token-file, and
refuses requests with Origin or another Host. With several --as each agent has its own token, on the socket too.

# Coding agents

  aip hook claude --passport coder

is what Claude Code runs before each tool; codex, cursor, gemini, copilot and vscode likewise. The shell tool is the action shell, what
writes files is write_file, what reads them read_file, fetching is fetch_url, an MCP tool is <server>.<tool>, anything else its own name;
--map Bash=deploy says otherwise. A yes is no objection: the agent's own prompts stay, unless --grant. A no begins with its code. When
the hook itself fails (no key, no state, an event it cannot read, 5 s over) it ends with 2, which blocks.

File tools never reach the home of aip, a hook's configuration or the socket's folder, whatever the passport says. For the action shell
nothing of the kind is promised: a shell can edit any file of its user. Where that matters, run aip and its home as another user.
`;
}
