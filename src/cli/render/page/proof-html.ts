/** A checked bundle for people: one page without script, network or font. */
import { createHash } from 'node:crypto';
import { PALETTE } from '../../../mesh/dashboard/palette.js';
import { proofVerdict, type ProofReport, type StepName } from '../../../app/proof/report.js';
import { safeJson } from '../terminal/text.js';
import { escapeHtml } from './html.js';

const CSS = `${PALETTE}*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:52rem;margin:0 auto;padding:2rem 1rem 4rem}h1{font-size:1.5rem;margin:0}h2{font-size:.85rem;margin:0 0 .5rem;color:var(--dim);font-weight:600}p{margin:.25rem 0 0}
header,section{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:1rem 1.25rem;margin-bottom:1.25rem}header{border-left:.4rem solid currentColor}header p{color:var(--ink)}
.ok{color:var(--ok)}.broken{color:var(--bad)}.unproven{color:var(--warn)}.mark{border:1px solid currentColor;border-radius:99px;padding:.05rem .6rem;font-size:.8rem;font-weight:600}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.45rem .75rem .45rem 0;border-top:1px solid var(--rule);overflow-wrap:anywhere}tr:first-child>*{border-top:0}th{font-weight:600;width:11rem}td.state{width:6.5rem}
pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere;font:14px/1.5 ui-monospace,monospace}@media print{header,section{break-inside:avoid}}
@media (max-width:36rem){th,td,td.state{display:block;width:auto;border-top:0;padding:.1rem 0}tr{display:block;padding:.5rem 0;border-top:1px solid var(--rule)}tr:first-child{border-top:0}}`;

/** What each step asks, for people. */
const ASKS: Readonly<Record<StepName, string>> = {
  who: 'Who signed it?',
  what: 'What was asked for?',
  limits: 'Within the limits?',
  decision: 'What was decided?',
  when: 'When?',
  recorded: 'Where is it recorded?',
  outcome: 'What became of it?',
  seen: 'Who else has seen it?',
};

/** The page. Everything that came with the bundle is escaped. */
export function renderProofPage(report: ProofReport): string {
  const hash = createHash('sha256').update(CSS).digest('base64');
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  const facts: [string, string | null][] = [
    ['Agent', report.agent_id],
    ['Principal', report.principal],
    ['Action', report.action],
    ...(report.target === null ? [] : ([['Target', report.target]] as [string, string][])),
    ['Decision', report.status === 'success' ? 'accepted' : `refused ${report.error_code ?? ''}`],
    ['Decided at', report.decided_at],
    ...report.approved_by.map(({ approver, key_id, approved_at, reason }): [string, string] => [
      'Approved by',
      `${approver} (${key_id}) at ${approved_at}${reason === null ? '' : `: ${reason}`}`,
    ]),
    ['Log', report.log === null ? null : `${report.log}, entry ${report.seq ?? '?'}`],
  ];
  const row = ([name, value]: [string, string | null]): string =>
    `<tr><th scope="row">${name}</th><td>${escapeHtml(value ?? '-')}</td></tr>`;
  const steps = report.steps.map(
    ({ step, status, message }) =>
      `<tr><th scope="row">${ASKS[step]}</th><td class="state"><span class="mark ${status}">${status}</span></td><td>${escapeHtml(message)}</td></tr>`,
  );
  const { state, said } = proofVerdict(report);
  // A line break is the page's own: within a text it is written as two characters.
  const params = safeJson(report.params, 2).split('\n').map(escapeHtml).join('\n');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Proof of one action</title>
<style>${CSS}</style>
</head>
<body>
<main>
<header class="${state}"><h1>${report.ok ? 'Proved' : 'Not proved'}</h1><p>${said}</p></header>
<section><h2>What the bundle says</h2><table>${facts.map(row).join('')}</table></section>
<section><h2>Params</h2><pre>${params}</pre></section>
<section><h2>What is shown</h2><table>${steps.join('')}</table></section>
</main>
</body>
</html>
`;
}
