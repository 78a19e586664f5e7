import { PALETTE } from '../../../mesh/dashboard/palette.js';

export const CSS = `${PALETTE}*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:64rem;margin:0 auto;padding:1.5rem 1rem 4rem}h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:0;overflow-wrap:anywhere}h3{font-size:.85rem;margin:1.25rem 0 .25rem;color:var(--dim);font-weight:600}
p{margin:.25rem 0}.dim{color:var(--dim)}section{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:1.25rem;margin-top:1.25rem}
header.agent{display:flex;gap:.75rem;align-items:baseline;justify-content:space-between;flex-wrap:wrap}
.status{border-radius:99px;padding:.1rem .7rem;font-weight:600;font-size:.85rem;border:1px solid currentColor}.ok{color:var(--ok)}.warning{color:var(--warn)}.critical{color:var(--bad)}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(8rem,1fr));gap:.75rem;margin:1rem 0 0}dl div{border:1px solid var(--rule);border-radius:8px;padding:.5rem .75rem}dt{color:var(--dim);font-size:.8rem}dd{margin:0;font-size:1.35rem;font-weight:600;font-variant-numeric:tabular-nums}dd small{font-size:.8rem;font-weight:400;color:var(--dim)}
ul.warnings{margin:1rem 0 0;padding:.6rem .9rem .6rem 1.9rem;border:1px solid var(--warn);border-radius:8px;color:var(--warn)}
.wide{overflow-x:auto}.newest{direction:rtl}.newest>svg{direction:ltr}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th,td{text-align:left;padding:.35rem .6rem .35rem 0;border-bottom:1px solid var(--rule);vertical-align:top}th{font-size:.8rem;color:var(--dim)}td.n,th.n{text-align:right}td.id{overflow-wrap:anywhere;min-width:11rem}a{color:inherit}
td,th{min-width:4.5rem}.wide>svg{min-width:34rem}svg{display:block;width:100%;height:auto}.grid{stroke:var(--rule)}.tick{fill:var(--dim);font-size:11px}.name{fill:var(--ink);font-size:13px}.s0{fill:var(--s0)}.s1{fill:var(--s1)}.s2{fill:var(--s2)}.line{fill:none;stroke:var(--line);stroke-width:2}.dot{fill:var(--line)}.mark{stroke:var(--warn);stroke-dasharray:4 4}
.legend{display:flex;gap:1rem;flex-wrap:wrap;font-size:.85rem;color:var(--dim)}.legend svg{width:.8rem;height:.8rem;display:inline-block;vertical-align:-1px;margin-right:.35rem}`;
