/** A checked bundle for people: one page without script, network or font. */
import { createHash } from 'node:crypto';
import type { ProofReport } from '../../../app/proof/report.js';
import { safeJson } from '../terminal/text.js';
import { escapeHtml } from './html.js';

const CSS = `body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}
h1{font-size:1.4rem}table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid #ddd}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f6f6f6;padding:.6rem}.ok{color:#11632f}.broken{color:#a3130e;font-weight:bold}.unproven{color:#6b4e00}`;

/** The page. Everything that came with the bundle is escaped. */
export function renderProofPage(report: ProofReport): string {
  const hash = createHash('sha256').update(CSS).digest('base64');
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  const facts: [string, string | null][] = [
    ['Agent', report.agent_id],
    ['Principal', report.principal],
    ['Action', report.action],
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
      `<tr><th scope="row">${step}</th><td class="${status}">${status}</td><td>${escapeHtml(message)}</td></tr>`,
  );
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
<h1 class="${report.ok ? 'ok' : 'broken'}">${report.ok ? 'Proved' : 'Not proved'}</h1>
<table>${facts.map(row).join('')}</table>
<h2>Params</h2>
<pre>${escapeHtml(safeJson(report.params, 2))}</pre>
<h2>Steps</h2>
<table>${steps.join('')}</table>
</body>
</html>
`;
}
