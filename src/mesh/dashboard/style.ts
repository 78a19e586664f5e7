import { PALETTE } from './palette.js';

/** The page's only style sheet; the policy allows it by its hash. */
export const STYLE = `${PALETTE}*{box-sizing:border-box}[hidden]{display:none!important}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
a{color:inherit}h1,h2{margin:0;font-size:1.05rem;line-height:1.3}h2:focus{outline:none}p{margin:.25rem 0}bdi{overflow-wrap:anywhere}
.dim,.few,.why,.domain{color:var(--dim)}.ok{color:var(--ok)}.warning{color:var(--warn)}.critical{color:var(--bad)}
:focus-visible{outline:3px solid var(--line);outline-offset:2px;border-radius:6px}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:.5rem;background:var(--card);padding:.4rem .8rem;z-index:3}
header.top{position:sticky;top:0;z-index:2;background:var(--card);border-bottom:1px solid var(--rule)}
header.top>div{max-width:96rem;margin:0 auto;padding:.6rem 1.25rem;display:flex;align-items:center;gap:.9rem;flex-wrap:wrap}
header.top h1{display:flex;align-items:center;gap:.55rem;margin-right:auto}header.top svg{width:1.5rem;height:1.5rem;color:var(--line)}
.doubt{margin:0;padding:.5rem 1.25rem;background:var(--bad);color:var(--card);font-weight:600}.doubt:empty{display:none}
main{max-width:96rem;margin:0 auto;padding:1.25rem 1.25rem 4rem}
button{font:inherit;font-weight:600;border:1px solid var(--rule);background:var(--card);color:var(--ink);border-radius:8px;padding:.4rem .9rem;min-height:2.5rem;cursor:pointer}
button:hover{border-color:var(--dim)}button:disabled{opacity:.5;cursor:default}button[aria-pressed=true]{background:var(--ink);color:var(--card)}
button.danger{color:var(--bad);border-color:currentColor}button.danger:hover{background:var(--bad);color:var(--card)}button.solid{background:var(--bad);border-color:var(--bad);color:var(--card)}
button.quiet{border-color:transparent;background:none;color:var(--dim);font-size:.85rem;font-weight:500;min-height:1.7rem;padding:0 .45rem;text-decoration:underline;text-underline-offset:3px}button.quiet:hover{color:var(--ink)}.acts{display:inline-flex;flex-direction:column;gap:.15rem;align-items:stretch}
button.primary{background:var(--line);border-color:var(--line);color:var(--card)}button.small{padding:.2rem .7rem;min-height:2.1rem;font-size:.9rem}
.status{display:inline-block;white-space:nowrap;border-radius:99px;padding:.05rem .65rem;font-weight:600;font-size:.82rem;border:1px solid currentColor}
label{display:block;font-weight:600;font-size:.9rem;margin-top:.9rem}label.tick{display:flex;gap:.5rem;align-items:center;font-weight:400;margin:.6rem 0 0}
input:not([type=checkbox]),textarea{font:inherit;width:100%;color:inherit;background:var(--bg);border:1px solid var(--s2);border-radius:8px;padding:.5rem .7rem;margin-top:.25rem}
input[readonly]{color:var(--dim);border-style:dashed}input[type=checkbox]{width:1.1rem;height:1.1rem;accent-color:var(--line)}textarea{min-height:5.5rem;resize:vertical}
.gate{max-width:27rem;margin:12vh auto 0}.card,.tiles>div{background:var(--card);border:1px solid var(--rule);border-radius:12px}
.card{padding:1.1rem 1.25rem}.gate button{width:100%;margin-top:1.1rem}.gate h2{font-size:1.3rem}
.jump{display:none;gap:1rem;margin:0 0 .8rem}.whole{font:12.5px/1.5 ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere}select{font:inherit;width:100%;color:inherit;background:var(--bg);border:1px solid var(--s2);border-radius:8px;padding:.5rem .7rem;margin-top:.25rem}
.tiles{display:grid;grid-template-columns:repeat(5,1fr);gap:.9rem;margin:0 0 1.1rem}.tiles>div{padding:.7rem 1rem}.one{margin:-.6rem 0 1.1rem}
dt{color:var(--dim);font-size:.82rem}dd{margin:0}dd.big{font-size:1.7rem;font-weight:650;line-height:1.25;font-variant-numeric:tabular-nums}dd.few{font-size:.82rem}
.above:empty{display:none}.above{list-style:none;margin:0 0 1.1rem;padding:0}.above li{border:1px solid var(--bad);color:var(--bad);background:var(--card);border-radius:12px;padding:.7rem 1rem;font-weight:600;margin-bottom:.5rem;overflow-wrap:anywhere}
.cols{display:grid;grid-template-columns:minmax(0,1fr);gap:1.1rem;align-items:start}.cols>div{display:grid;gap:1.1rem;grid-template-columns:minmax(0,1fr)}
.bar{display:flex;flex-wrap:wrap;align-items:center;gap:.5rem .75rem;margin-bottom:.6rem}.bar h2{margin-right:auto}.bar label{margin:0}.bar input[type=search]{width:13rem;margin:0;padding:.35rem .7rem}
.empty{color:var(--dim);padding:1rem 0}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.55rem .9rem .55rem 0;border-bottom:1px solid var(--rule);vertical-align:middle;font-weight:400}thead th{font-size:.8rem;color:var(--dim);padding-top:0}
tbody tr:last-child>*{border-bottom:0}th.who bdi{display:block}.name{font-weight:600}.domain,.few,.why{display:block;font-size:.82rem;overflow-wrap:anywhere}
td.act,.fleet thead th:last-child{text-align:right;padding-right:0}td.rate{min-width:7.5rem}td.rate b{white-space:nowrap}td.state{max-width:17rem}th.who{min-width:9rem}td.trust b,td.rate b{font-weight:600}tr.stopped .name,tr.stopped b{color:var(--dim)}
.meter{display:block;width:4.5rem;height:5px;border-radius:3px;background:var(--rule);margin-top:.2rem;overflow:hidden;color:var(--s0)}.meter::before{content:"";display:block;height:100%;width:var(--v);background:currentColor}.meter.critical{color:var(--bad)}.meter.warning{color:var(--warn)}.meter.dim{color:var(--s2)}
.bars{display:block;width:7.5rem;height:1.75rem}.s0{fill:var(--s0)}.s1{fill:var(--s1)}.nil{fill:var(--rule)}
.entries{list-style:none;margin:0;padding:0}.entries>li{border-top:1px solid var(--rule)}.only-failed>.ok,.only-failed>.other{display:none}
summary{display:grid;grid-template-columns:4.3rem 4.9rem minmax(0,1fr);gap:0 .5rem;padding:.45rem 0;align-items:baseline;cursor:pointer;list-style:none;color:var(--ink)}summary::-webkit-details-marker{display:none}summary:hover{background:var(--bg)}
time{color:var(--dim);font-variant-numeric:tabular-nums}.word{font-weight:650;font-size:.88rem}.word.ok{color:var(--ok)}.word.bad{color:var(--bad)}
summary .agent{font-weight:600}summary .action,summary .code{grid-column:2/-1}summary .action{color:var(--dim);font-size:.88rem}summary .code{color:var(--bad);font-size:.88rem}summary .code:empty{display:none}
pre{margin:0 0 .7rem;padding:.7rem;background:var(--bg);border-radius:8px;font:12.5px/1.5 ui-monospace,Menlo,Consolas,monospace;white-space:pre-wrap;overflow-wrap:anywhere;max-height:24rem;overflow:auto}
.zone{display:inline;font-weight:400;margin-left:.25rem}.gap{color:var(--warn);padding:.4rem 0;font-weight:600}.fresh{color:var(--line);font-weight:600}
dialog{border:1px solid var(--rule);border-radius:14px;background:var(--card);color:var(--ink);padding:1.4rem;width:min(32rem,calc(100vw - 2rem))}dialog::backdrop{background:rgb(10 14 20/.55)}
dialog.wide{width:min(46rem,calc(100vw - 2rem))}dialog h3{font-size:.9rem;margin:.9rem 0 .25rem}pre.full{max-height:none;overflow:visible;margin:0}.facts{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.3rem .9rem;margin:.8rem 0 0}.facts dd{overflow-wrap:anywhere}.inbox{margin-bottom:1.1rem;border-color:var(--warn)}.requests{list-style:none;margin:0;padding:0}.requests li{display:grid;grid-template-columns:minmax(0,1.2fr) minmax(0,1fr) auto;gap:.1rem 1rem;align-items:center;padding:.6rem 0;border-top:1px solid var(--rule)}.requests .domain,.requests .few{grid-row:2}.requests .few{grid-column:2}.requests button{grid-column:3;grid-row:1/3}input[type=file]{padding:.4rem}dialog h2{font-size:1.25rem}.buttons{display:flex;justify-content:flex-end;gap:.6rem;margin-top:1.2rem}.result{min-height:1.5em;margin-top:.9rem;font-weight:600;overflow-wrap:anywhere}
@media (min-width:1240px){.cols{grid-template-columns:minmax(0,1fr) 27rem}.side{position:sticky;top:4.6rem}.side .scroll{max-height:calc(100vh - 11rem);overflow-y:auto;scrollbar-width:thin;padding-right:.5rem}}
@media (max-width:820px){.facts{grid-template-columns:minmax(0,1fr)}.facts dd{margin-bottom:.3rem}.requests li{grid-template-columns:minmax(0,1fr) auto}.requests .domain{grid-row:2}.requests .action{grid-row:3}.requests .few{grid-row:4;grid-column:1}.requests button{grid-column:2;grid-row:1/5;min-height:2.75rem}}
@media (max-width:820px){.jump{display:flex}main{padding:1rem .8rem 3rem}header.top>div{padding:.5rem .8rem}.card{padding:1rem}.tiles{grid-template-columns:1fr 1fr;gap:.6rem}.tiles>div{padding:.6rem .8rem}.tiles>div:last-child{grid-column:1/-1}.bar label.find{flex:1 1 9rem;order:2}.bar input[type=search]{width:100%;min-height:2.5rem}.bar .danger{order:2}.bar:has(.find) h2{width:100%}
thead{position:absolute;left:-99rem}tr{display:grid;grid-template-columns:1fr 1fr;gap:.35rem 1rem;padding:.9rem 0;border-bottom:1px solid var(--rule)}tbody tr:last-child{border-bottom:0}
th,td{border:0;padding:0}td.act{grid-column:1/-1}.fleet td.state{justify-self:end;text-align:right;max-width:none}.fleet th.who{min-width:0}.verifiers th.who{grid-column:1/-1}td[data-label]::before{content:attr(data-label);display:block;font-size:.78rem;color:var(--dim);font-weight:400}td.state::before{display:none!important}td.act:not(:has(button:not([hidden]))){display:none}.acts{display:flex;flex-direction:row;gap:.6rem}.acts button{flex:1;min-height:2.75rem}.acts .quiet{border-color:var(--rule);text-decoration:none;font-size:.9rem;font-weight:600}td.day{grid-column:1/-1}td.day:not(:has(svg)){display:none}.bars{width:100%;height:2.2rem;margin-top:.15rem}}
@media (prefers-reduced-motion:no-preference){.entries>li{animation:in .25s ease-out}@keyframes in{from{background:color-mix(in srgb,var(--line) 22%,transparent)}}button{transition:background .12s,color .12s}}
@media (forced-colors:active){.meter::before{background:CanvasText}}`;
