/** The dashboard's page. It holds no data: everything comes later, with a key, as text. */
import { createHash } from 'node:crypto';
import PROGRAM from 'built:dashboard-page';
import { STYLE } from './style.js';

/** Within the page's element `script`, nothing may look like its end. */
const SCRIPT = PROGRAM.replaceAll('</', '<\\/');

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Nothing but these two texts and this server: a string that got past everything else could still load and run nothing. */
export const PAGE_POLICY = [
  "default-src 'none'",
  `script-src ${hashOf(SCRIPT)}`,
  `style-src ${hashOf(STYLE)}`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const KEY_INPUT =
  'type="password" autocomplete="off" autocapitalize="off" spellcheck="false" data-1p-ignore data-lpignore="true"';

/** The dashboard as one document. */
export const DASHBOARD_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<link rel="icon" href="data:,">
<title>AIP mesh</title>
<style>${STYLE}</style>
</head>
<body>
<a class="skip" href="#agents-title">Skip to the agents</a>
<header class="top"><div>
<h1><svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" aria-hidden="true"><path d="M12 3v8"/><path d="M7.05 6.3a8 8 0 1 0 9.9 0"/></svg>AIP mesh</h1>
<span id="state" class="status dim" role="status">locked</span>
<button id="lock" type="button" class="small" hidden>Lock</button>
</div><p id="doubt" class="doubt" role="alert"></p></header>
<main>
<noscript><p class="card">This page needs JavaScript. At a terminal: <code>aip mesh status</code>, <code>aip logs tail --mesh -f</code>.</p></noscript>
<div id="gate" class="gate card">
<form id="gate-form" aria-labelledby="gate-title"><h2 id="gate-title">Open the dashboard</h2>
<p class="dim">The log is not public. The key stays in this page and is forgotten when you close or lock it.</p>
<label for="key">Observer key, or approver key</label>
<input id="key" ${KEY_INPUT} required placeholder="aipm_observer_…">
<button class="primary">Open</button>
<p id="gate-problem" class="result critical" role="alert"></p></form>
</div>
<div id="open" hidden>
<div role="alert"><ul id="above" class="above"></ul></div>
<nav class="jump" aria-label="On this page"><a href="#agents-title">Agents</a><a href="#verifiers-title">Verifiers</a><a href="#live-title">Live</a></nav>
<dl class="tiles" aria-label="Summary">
<div><dt>Agents</dt><dd id="t-agents" class="big">–</dd><dd id="t-stopped" class="few"></dd></div>
<div><dt>Verifications, 24 hours</dt><dd id="t-day" class="big">–</dd><dd id="t-rate" class="few"></dd></div>
<div><dt>Verifiers that listen</dt><dd id="t-verifiers" class="big">–</dd><dd id="t-lag" class="few"></dd></div>
<div><dt>Last drill</dt><dd id="t-drill" class="big">–</dd><dd id="t-drilled" class="few"></dd></div>
<div><dt>Mesh events</dt><dd id="t-head" class="big">–</dd><dd id="t-entries" class="few"></dd></div>
</dl>
<p class="few one">As the server that this page came from tells it; whether every endpoint of the mesh tells the same: <code>aip mesh status</code></p>
<section id="inbox" class="card inbox" aria-labelledby="inbox-title" hidden>
<div class="bar"><h2 id="inbox-title" tabindex="-1">Waiting for a person <span id="t-waiting" class="status warning"></span></h2></div>
<ul id="requests" class="requests"></ul>
<p id="more-requests" class="few"></p>
</section>
<div class="cols">
<div>
<section class="card" aria-labelledby="agents-title">
<div class="bar"><h2 id="agents-title" tabindex="-1">Agents</h2>
<label class="find" for="find"><input id="find" type="search" aria-label="Find an agent" placeholder="Find an agent" autocomplete="off" spellcheck="false"></label>
<button id="revoke-other" type="button" class="danger small">Revoke by id</button></div>
<table class="fleet"><thead><tr><th scope="col">Agent</th><th scope="col">Status</th><th scope="col">Trust</th><th scope="col">Failure rate</th><th scope="col">24 hours</th><th scope="col"></th></tr></thead>
<tbody id="agents"></tbody></table>
<p id="no-agents" class="empty">No agent here. Entries arrive once a verifier runs <code>aip mesh follow</code>.</p>
<p id="more-agents" class="few"></p>
</section>
<section class="card" aria-labelledby="verifiers-title">
<div class="bar"><h2 id="verifiers-title" tabindex="-1">Verifiers</h2></div>
<table class="verifiers"><thead><tr><th scope="col">Verifier</th><th scope="col">Connection</th><th scope="col">Lag</th><th scope="col">Heard</th><th scope="col">Its log</th></tr></thead>
<tbody id="verifiers"></tbody></table>
<p id="no-verifiers" class="empty">No verifier has reported in yet.</p>
<p id="more-verifiers" class="few"></p>
</section>
</div>
<section class="card side" aria-labelledby="live-title">
<div class="bar"><h2 id="live-title" tabindex="-1">Live entries <span class="few zone">UTC</span></h2><span id="fresh" class="fresh"></span>
<label class="tick"><input id="only-failed" type="checkbox">Refused only</label>
<button id="pause" type="button" class="small" aria-pressed="false">Pause</button></div>
<div class="scroll" tabindex="0" role="group" aria-label="Entries, newest first, times in UTC"><ol id="entries" class="entries"></ol>
<p id="no-entries" class="empty">Nothing yet.</p></div>
</section>
</div>
</div>
</main>
<dialog id="revoke" aria-labelledby="revoke-title">
<form id="revoke-form">
<h2 id="revoke-title">Stop an agent, or let it act again</h2>
<p id="revoke-means" class="dim"></p>
<label for="what">What</label>
<select id="what"><option value="revoke">Revoke</option><option value="suspend">Suspend for an hour</option><option value="reinstate">Reinstate (admin)</option></select>
<label for="revoke-agent">Agent, principal, key, or * for everyone</label>
<input id="revoke-agent" required maxlength="400" autocomplete="off" autocapitalize="off" spellcheck="false">
<p class="whole"><bdi id="revoke-whole"></bdi></p>
<label for="reason">Reason</label>
<textarea id="reason" required maxlength="500" placeholder="What happened? Whoever finds the agent stopped reads this."></textarea>
<label for="operator-key"><span id="key-name">Operator key</span> <span id="key-kept" class="dim" hidden>(leave empty to use the one this page has)</span></label>
<input id="operator-key" ${KEY_INPUT} required placeholder="aipm_operator_…">
<label class="tick"><input id="keep-key" type="checkbox">Keep this key until the page is locked or closed</label>
<p id="revoke-result" class="result" role="status"></p>
<div class="buttons"><button id="revoke-cancel" type="button">Cancel</button><button id="revoke-confirm" class="solid">Revoke</button></div>
</form>
</dialog>
<dialog id="approval" class="wide" aria-labelledby="approval-title">
<form id="approval-form">
<h2 id="approval-title">Approve exactly this, once</h2>
<dl id="approval-facts" class="facts"></dl>
<h3>Params, all of them</h3>
<pre id="approval-params" class="full" tabindex="0" aria-label="Params, all of them"></pre>
<label for="approval-reason">Reason <span class="dim">(signed with the answer)</span></label>
<input id="approval-reason" maxlength="500" autocomplete="off">
<label for="approval-file">Your private key <span class="dim">(PEM; it is opened in this page and sent nowhere)</span></label>
<input id="approval-file" type="file">
<label for="approval-passphrase">Its passphrase</label>
<input id="approval-passphrase" ${KEY_INPUT}>
<p class="dim">This page is the mesh's: who does not trust that machine with a key answers at a terminal: <code id="approval-command" class="whole"></code></p>
<p id="approval-result" class="result" role="status"></p>
<div class="buttons"><button id="approval-close" type="button">Close</button><button id="approval-deny" type="button" class="danger" disabled>Deny</button><button id="approval-approve" type="button" class="primary" disabled>Approve</button></div>
</form>
</dialog>
<script>${SCRIPT}</script>
</body>
</html>
`;
