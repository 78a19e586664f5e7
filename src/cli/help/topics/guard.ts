export function text(): string {
  return `# In front of tools

A tool that runs only when its intent verifies: sign, verify, log, and only then run. What runs is the value that was verified, and a
failure on this side is never a yes.

# Programs in any language

  aip serve --as support-agent-v1

listens on a socket (serve/aip.sock beside state.db, in a folder of mode 0700), with --listen on a loopback port as well;
on Windows on a port alone.

  POST /v1/guard    {agent_id, action, params, target}: signs, verifies, logs; the answer is the decision
  POST /v1/verify   a signed intent: the decision; application/x-ndjson: a line in, a line out
  POST /v1/sign     {agent_id, action, params, target}: the signed intent
  POST /v1/outcome  {intent_hash, status: ok | error | unknown, outcome_token}: what became of a yes, for the agent of the caller's token
  POST /access/v1/evaluation    AuthZEN 1.0; context.aip_intent holds a signed intent, context.dry_run spends nothing
  POST /v1/hooks/<agent>        a coding agent's pre-tool event
  GET  /healthz /metrics /openapi.json /.well-known/authzen-configuration

A yes and a no are both 200; every other status decided nothing. A port takes "Authorization: Bearer <token>" of --token-file, and
refuses requests with Origin or another Host. With several --as each agent has its own token, on the socket too.

# Frameworks

  guardTools(agent, tools)           aip-cli/ai: Vercel AI SDK
  guardTool, aipMiddleware           aip-cli/langchain
  guardTool(agent, tool)             aip-cli/openai-agents
  guardClient(agent, server, client) aip-cli/mcp
  guardRequest(request, {action})    aip-cli/http: null, or the Response of a refusal

The Request is the WHATWG one; its header AIP-Intent holds the signed intent as base64url, whose params equal the JSON body. Express and
Fastify have read the body already:

  const sent = {'aip-intent': req.headers['aip-intent'] ?? ''}
  const asked = {method: 'POST', headers: sent, body: JSON.stringify(req.body)}
  const no = await guardRequest(new Request('http://x', asked), {action: 'pay'})
  if (no !== null) return res.status(no.status).send(await no.text())

All stand on guardCall({agent, action, params}, run). Put them innermost: what another wrapper changes afterwards was not verified.

# MCP servers

  aip mcp guard -p coder -- mcp-server-filesystem /srv/docs

stands where the server's command stood. tools/list shows what the passport declares, by the tool's name or as <server>.<tool>; tools/call
becomes an intent whose target is mcp:<server>, and a refusal reaches the model as a result with isError that begins with the code.
Resources, prompts and completion pass, and are listed, where they are declared:

  aip passport update coder --add-action 'resource:file:///docs/*' prompt:greet

The action is the declared pattern, a URI or a prefix that ends in /*, and the param resource, or prompt, is what was asked for. URIs are
compared as URLs are parsed: docs/../x is x, and an escaped slash, dot or backslash is covered by no prefix. A pattern in denied_actions
(--deny) wins, whatever escapes, case, slashes or query it is asked for with. No tool is a resource or a prompt, whatever its name.

The tools are pinned by the hash of all that they say at first sight; one that changed or is new after that is hidden, and its calls
are AIP-E215.

  aip mcp guard -p coder --url https://mcp.example.com/mcp --listen 127.0.0.1:7448

stands before a server over HTTP: clients speak to http://127.0.0.1:7448/mcp with "Authorization: Bearer <token>" of --token-file, in both
eras of the protocol. No credential of theirs goes on; the server's own come from --upstream-header-file (a line each, mode 0600), and
redirects are refused. The transport of 2024, which has an address for events alone, is not spoken. A server that hangs up on a long call is
asked for the rest of its answer, never for the call again. In the 2026 era a header that is not what the body says is an error, and a client that hangs up has cancelled.

  aip mcp init -- mcp-server-filesystem /srv/docs     a draft of a passport, and what to paste into a client
  aip mcp diff -- mcp-server-filesystem /srv/docs     what changed since the tools were pinned
  aip mcp pin --accept -- mcp-server-filesystem /srv/docs     (--url in place of a command, too)

The server gets PATH, HOME, TERM and LANG, and what --env names (on Windows npx needs APPDATA); never a key. A revocation answers open
calls and empties the list within a second. --observe logs what would be refused, and lets it run: such an entry is observed (observed: true), counts in no score, tally or
rate, stops no agent, and raises no request for approval. What is accepted counts as ever.

# What a person approves

A call that needs a person is AIP-E209 and names a request. After aip approvals approve the model, or the coding agent, asks for the very
same action again: guard, hook, frameworks and AuthZEN find the request by the action, and it lets one call through. POST /v1/guard and
guardCall name it themselves (approval_request; approval).

# When a hook fails again and again

A hook that failed 5 times within 10 s for an agent is not waited for during the next 5 s: it refuses at once, the decision warns
circuit_open, and one probe closes the circuit again. The memory of a fleet (state.url) that gives no answer is treated alike: nothing is
decided, at once, with STATE_UNAVAILABLE and circuit_open in the message. /metrics counts both. A mesh is followed aside: no decision
waits for it, and revocation.on_stale says what holds when it falls silent.

# Coding agents

  aip hook claude --passport coder

is what Claude Code runs before each tool; codex, cursor, gemini, copilot and vscode likewise. The shell tool is the action shell, what
writes files is write_file, what reads or searches them read_file, fetching is fetch_url, an MCP tool is <server>.<tool> and never <tool>
alone, anything else its own name; --map Bash=deploy says otherwise. Where an agent runs both names together, as Copilot and VS Code do
(github-create_issue, mcp_github_create_issue), nothing tells where the server's ends: that is the action, unless
--map github-create_issue=github.create_issue says it. Gemini's web_fetch takes its addresses from its
prompt: they are judged as prompt_urls. A yes is no objection: the agent's own prompts stay, unless --grant. A no begins with its code. When
the hook itself fails (no key, no state, an event it cannot read, 5 s over) it ends with 2, which blocks.

A call of an MCP tool that the hook accepted and that then reaches a guard of this home is decided and counted once: the guard takes the
hook's entry as its own, for 60 s and once. For that both must name it <server>.<tool>, the hook by itself or by a --map of both names as
the agent runs them together; any other tool that is mapped to such a name counts for itself. Where --ask turns AIP-E209 into the agent's
own question, the entry says asked: an answer there is no signed approval.

# Files of aip

By a hook and by a guard before an MCP server, file tools never reach a path that lies in the home with keys, state and pins, the
configuration of hooks in any folder, or the socket's folder, nor the files of --config, --passphrase-file, --env-file, --token-file,
--upstream-header-file and of a passport that is named by its file, whatever the passport says (AIP-E210, own_files): also by steps up,
symbolic and hard links, ~ and $HOME, file: URLs, other spellings and in patches; what a coding
agent's own tool writes or looks for is no path. A tool of any other name, and of an MCP server, is refused where a whole value
of its input is such a path; a text that only mentions one passes. One that moves or removes, by its name, is refused a folder
that holds them as well. A guard reads relative paths from its own folder and from
the folders that the server's command line names; those of a server over HTTP it cannot place. A hook reads them from the folder that its
event names, else from the one that it runs in; where an agent posts such an event to the service by itself, it cannot place them. A path through the links of a process (/proc/self/cwd, /dev/fd) is refused, for what it
leads to is not known, and so is what a process holds (/proc/self/environ). A search from a folder above the home or from /proc is refused;
one over a project passes, and shows the hooks that are configured there. Not seen are links below the folder that a search goes through, and
the device names and hashed short names of Windows.
For the action shell nothing of the kind is promised: a shell can edit any file of its user. Nor is it for POST /v1/guard, /v1/sign and the
frameworks, which do not know what a param means to their program. Where that matters, run the service as another user, and give the
agent's user a port and a token.
`;
}
