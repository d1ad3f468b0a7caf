/// The one style sheet. Colours come in pairs, for light and dark; severities differ in colour and say their name.
let styleSheet = """
  :root{color-scheme:light dark;
  --bg:#f6f6f4;--card:#fff;--ink:#1c1d1f;--soft:#5d6167;--line:#e1e1dc;--link:#0b5cad;--accent:#1f4e79;--accent-ink:#fff;
  --crit:#b3261e;--crit-bg:#fdecea;--high:#a84b00;--high-bg:#fff0e0;--med:#7a6200;--med-bg:#fdf5d3;--low:#4b5a68;--low-bg:#ecf0f4;
  --good:#1f6b3a;--good-bg:#e4f4e9;--ack:#30508f;--ack-bg:#e8eefb;--band:#cfe0f1;--shade:0 1px 2px rgba(20,20,20,.05)}
  @media (prefers-color-scheme:dark){:root{
  --bg:#141517;--card:#1c1e21;--ink:#e9e9e6;--soft:#9da2a9;--line:#303338;--link:#8fc1f2;--accent:#3d7ab5;--accent-ink:#fff;
  --crit:#ff8a80;--crit-bg:#42201e;--high:#ffb26b;--high-bg:#3d2a17;--med:#ecd36b;--med-bg:#37311a;--low:#b3c0cc;--low-bg:#272d33;
  --good:#86d6a0;--good-bg:#1b3524;--ack:#a9c1f7;--ack-bg:#212c45;--band:#263d55;--shade:none}}
  *{box-sizing:border-box}
  html{-webkit-text-size-adjust:100%}
  body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums}
  h1{font-size:1.45rem;line-height:1.25;margin:0;font-weight:650;letter-spacing:-.01em;overflow-wrap:anywhere}
  h2{font-size:.95rem;margin:0 0 .7rem;font-weight:650}
  h3{font-size:.9rem;margin:1rem 0 .4rem;font-weight:650}
  p{margin:0 0 .6rem}
  a{color:var(--link);text-underline-offset:.15em}
  code,pre,.id{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.9em}
  pre{margin:.6rem 0 0;padding:.8rem;background:var(--bg);border:1px solid var(--line);border-radius:6px;overflow:auto;max-height:28rem;white-space:pre-wrap;overflow-wrap:anywhere}
  :focus-visible{outline:2px solid var(--link);outline-offset:2px;border-radius:3px}
  .skip{position:absolute;left:-99rem}.skip:focus{left:.5rem;top:.5rem;background:var(--card);padding:.4rem .8rem;z-index:2}
  .sr{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
  .quiet,.sub{color:var(--soft)}.sub{display:block;font-size:.85em}.spacer{flex:1}
  .top{display:flex;align-items:center;gap:1.2rem;padding:.45rem max(1rem,calc((100% - 76rem)/2));background:var(--card);border-bottom:1px solid var(--line);flex-wrap:wrap}
  .brand{display:flex;align-items:center;gap:.4rem;font-weight:700;color:var(--ink);text-decoration:none;letter-spacing:-.01em}
  .brand svg{fill:var(--crit)}
  nav{display:flex;gap:.15rem;flex:1;overflow-x:auto}
  nav a{padding:.35rem .7rem;border-radius:6px;text-decoration:none;color:var(--soft);white-space:nowrap}
  nav a:hover{color:var(--ink);background:var(--bg)}
  nav a[aria-current]{color:var(--ink);background:var(--bg);font-weight:600}
  .who{display:flex;gap:.6rem;align-items:center;color:var(--soft)}.who form{display:inline}
  main,.open-access,.bottom,body>.banner{max-width:78rem;margin:0 auto;padding:0 1rem}
  main{padding-top:1.1rem;padding-bottom:2rem;outline:none}
  .open-access{font-size:.8rem;color:var(--soft);padding-top:.5rem;margin-bottom:0}
  .bottom{display:flex;gap:1rem;padding-top:.8rem;padding-bottom:1.6rem;border-top:1px solid var(--line);color:var(--soft);font-size:.8rem;flex-wrap:wrap}
  #live-state{margin-left:auto}
  .head{display:flex;align-items:center;gap:.6rem 1.2rem;flex-wrap:wrap;margin-bottom:.9rem}.head p{margin:0;flex:1 1 20rem}
  .card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1rem 1.1rem;margin-bottom:1rem;box-shadow:var(--shade)}
  .card.narrow{max-width:34rem;margin:2rem auto}
  .banner{padding:.6rem .9rem;border-radius:8px;margin-bottom:1rem;border:1px solid var(--line)}
  .good.banner{background:var(--good-bg);color:var(--good)}.bad.banner{background:var(--crit-bg);color:var(--crit)}.warn.banner{background:var(--med-bg);color:var(--med);margin-top:.8rem}
  .empty{color:var(--soft);padding:1.6rem 0;text-align:center;margin:0}.card .empty{padding:.4rem 0;text-align:left}
  .tiles{display:flex;gap:.4rem;flex-wrap:wrap;margin-left:auto}
  .tile{text-decoration:none;padding:.2rem .7rem;border-radius:99px;border:1px solid transparent;font-size:.9rem}
  .tile b{font-weight:700}.tile.on{border-color:currentColor}
  .tile-critical{color:var(--crit);background:var(--crit-bg)}.tile-high{color:var(--high);background:var(--high-bg)}
  .tile-medium{color:var(--med);background:var(--med-bg)}.tile-low{color:var(--low);background:var(--low-bg)}
  .filters{display:flex;gap:.5rem;align-items:center;flex-wrap:wrap;margin-bottom:1rem}
  .filters input[type=search]{flex:1 1 16rem}
  .filters label{color:var(--soft)}
  input,select,textarea,button{font:inherit;color:inherit}
  input,select,textarea{background:var(--card);border:1px solid var(--line);border-radius:7px;padding:.42rem .6rem;min-height:2.35rem;max-width:100%}
  textarea{font-family:ui-monospace,SFMono-Regular,Menlo,monospace;font-size:.9em;width:100%}
  button{background:var(--card);border:1px solid var(--line);border-radius:7px;padding:.42rem .85rem;min-height:2.35rem;cursor:pointer;font-weight:550}
  button:hover{border-color:var(--soft)}
  button.primary{background:var(--accent);border-color:var(--accent);color:var(--accent-ink)}
  button[aria-pressed=true]{border-color:var(--link);color:var(--link)}
  button.link{border:0;background:none;padding:0;min-height:0;color:var(--link);text-decoration:underline;font-weight:400}
  .stack{display:flex;flex-direction:column;gap:.7rem}.stack label{display:flex;flex-direction:column;gap:.2rem;font-size:.85rem;color:var(--soft)}
  .stack input,.stack textarea{color:var(--ink);font-size:.95rem}
  .buttons{display:flex;gap:.5rem;flex-wrap:wrap}
  .inline{display:flex;gap:.5rem;align-items:center;flex-wrap:wrap}.inline label,.lead-in{color:var(--soft);font-size:.85rem;min-width:5.2rem}.stack .inline label{flex-direction:row}
  .inline input{flex:1 1 6rem;min-width:4rem}.inline .grow{flex:3 1 12rem}
  .sev{display:inline-flex;align-items:center;gap:.35rem;font-size:.8rem;font-weight:650;padding:.08rem .5rem;border-radius:99px;white-space:nowrap;text-transform:capitalize}
  .dot{width:.5rem;height:.5rem;border-radius:50%;background:currentColor}
  .sev-critical{color:var(--crit);background:var(--crit-bg)}.sev-critical .dot{border-radius:0;transform:rotate(45deg)}
  .sev-high{color:var(--high);background:var(--high-bg)}.sev-high .dot{border-radius:1px}
  .sev-medium{color:var(--med);background:var(--med-bg)}.sev-low{color:var(--low);background:var(--low-bg)}
  .state{font-size:.85rem;font-weight:600;white-space:nowrap}
  .state-open,.state-failed{color:var(--crit)}.state-acknowledged,.state-pending,.state-active{color:var(--ack)}.state-resolved,.state-delivered,.state-fresh{color:var(--good)}.state-cancelled,.state-expired{color:var(--soft)}.state-late{color:var(--crit)}
  .mark{display:inline-block;font-size:.78rem;padding:0 .45rem;border-radius:99px;background:var(--low-bg);color:var(--low);margin:.1rem .2rem 0 0}
  .chip{display:inline-block;font-size:.92em;padding:0 .4rem;border-radius:4px;background:var(--bg);border:1px solid var(--line)}
  table{width:100%;border-collapse:collapse}
  th{text-align:left;font-size:.75rem;font-weight:600;color:var(--soft);padding:.45rem .7rem;border-bottom:1px solid var(--line)}
  td{padding:.55rem .7rem;vertical-align:top;border-bottom:1px solid var(--line)}
  tr:last-child td{border-bottom:0}
  .num{text-align:right}
  .alerts,.plain{background:var(--card);border:1px solid var(--line);border-radius:10px;border-spacing:0;border-collapse:separate;box-shadow:var(--shade)}
  .card .plain{border:0;box-shadow:none}
  .row td:first-child{box-shadow:inset 3px 0 0 var(--low)}
  .row-critical td:first-child{box-shadow:inset 3px 0 0 var(--crit)}.row-high td:first-child{box-shadow:inset 3px 0 0 var(--high)}.row-medium td:first-child{box-shadow:inset 3px 0 0 var(--med)}
  .row:first-child td:first-child{border-top-left-radius:9px}.row:last-child td:first-child{border-bottom-left-radius:9px}
  .row:hover td{background:color-mix(in srgb,var(--bg) 55%,transparent)}
  .c-sev{width:1%;white-space:nowrap}.c-what a{font-weight:600;color:var(--ink);text-decoration:none}.c-what a:hover{text-decoration:underline}
  .c-what .sub{margin-top:.1rem}.c-value{white-space:nowrap}.c-value .change{font-size:.85em;color:var(--soft)}
  .c-next,.c-state{font-size:.92em}.c-age,.c-count{white-space:nowrap}
  .dim .c-what a{font-weight:500}
  .pager{display:flex;gap:1rem;margin:.8rem 0 0;font-size:.9rem}
  .crumbs{font-size:.85rem;margin-bottom:.35rem;color:var(--soft)}
  .title{margin-bottom:1rem}.badges{margin:.5rem 0 .2rem;display:flex;gap:.5rem .8rem;align-items:center;flex-wrap:wrap}.title .next{color:var(--soft);margin:0}
  .columns{display:grid;grid-template-columns:minmax(0,1fr) 22rem;gap:1rem;align-items:start}
  .side-column{position:sticky;top:1rem}
  .figures{display:flex;flex-wrap:wrap;gap:.4rem 1.8rem;margin:0 0 .9rem}.figures dt{font-size:.75rem;color:var(--soft)}.figures dd{margin:0;font-size:1.25rem;font-weight:650;letter-spacing:-.01em}
  .figures.big>div{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:.6rem 1rem;flex:1 1 9rem}.figures.big{gap:.7rem}.figures .bad dd{color:var(--crit)}
  .facts{display:grid;grid-template-columns:minmax(6rem,max-content) minmax(0,1fr);gap:.2rem 1rem;margin:0 0 .9rem;font-size:.92rem}.facts dt{color:var(--soft)}.facts dd{margin:0;overflow-wrap:anywhere}
  .causes,.told,.others,.messages{list-style:none;margin:0;padding:0}.told li,.others li{padding:.4rem 0;border-top:1px solid var(--line);font-size:.92rem;overflow-wrap:anywhere}.told li:first-child,.others li:first-child{border-top:0;padding-top:0}
  details summary{cursor:pointer;color:var(--soft);font-size:.9rem}
  .timeline{list-style:none;margin:0;padding:0}
  .ev{display:grid;grid-template-columns:5.6rem minmax(0,1fr);gap:.8rem;padding-bottom:.7rem;position:relative}
  .ev time{color:var(--soft);font-size:.85rem;text-align:right;padding-top:.05rem}
  .ev>div{border-left:2px solid var(--line);padding-left:1rem;position:relative;margin-bottom:-.7rem;padding-bottom:.7rem}
  .ev>div::before{content:"";position:absolute;left:-6px;top:.42rem;width:10px;height:10px;border-radius:50%;background:var(--soft);border:2px solid var(--card)}
  .ev p{margin:0;overflow-wrap:anywhere}.ev .quiet{font-size:.8rem}.ev .quiet a{color:inherit}
  .ev-fire>div::before,.ev-bad>div::before{background:var(--crit)}.ev-escalate>div::before{background:var(--high)}.ev-person>div::before{background:var(--ack)}.ev-good>div::before{background:var(--good)}
  .ev-quiet p:first-child{color:var(--soft)}
  .ev:target p:first-child{background:var(--med-bg)}
  .pager{margin-bottom:1rem}.actions>p{margin:.8rem 0 0}
  .chart-card{padding:.6rem}.chart{width:100%;height:auto;display:block}
  .chart .grid{stroke:var(--line);stroke-width:1}.chart .tick{fill:var(--soft);font-size:11px}.chart .band{fill:var(--band)}
  .chart .line-value{fill:none;stroke:var(--ink);stroke-width:1.6;stroke-linejoin:round}.chart .line-expected{fill:none;stroke:var(--soft);stroke-width:1.2;stroke-dasharray:4 3}
  .chart .mark{fill:var(--crit);stroke:var(--card);stroke-width:2}.chart .mark-text{fill:var(--crit);font-size:13px;font-weight:700}
  .sheet{width:100%;height:75vh;border:1px solid var(--line);border-radius:10px;background:#fff;margin-bottom:1rem}
  .messages{background:var(--card);border:1px solid var(--line);border-radius:10px;overflow:hidden}
  .messages li+li{border-top:1px solid var(--line)}.messages a{display:grid;grid-template-columns:5.5rem minmax(0,1fr) auto;gap:.2rem 1rem;padding:.6rem 1rem;color:inherit;text-decoration:none;align-items:baseline}.messages a:hover{background:var(--bg)}
  .m-title{overflow:hidden;text-overflow:ellipsis;white-space:nowrap;font-weight:550}
  .channel{font-size:.78rem;font-weight:650;color:var(--soft)}
  .channel-email{color:var(--ack)}.channel-slack{color:#8a3c8f}.channel-pagerduty{color:var(--good)}
  @media (prefers-color-scheme:dark){.channel-slack{color:#dc9be0}}
  .week{width:100%;max-width:56rem;height:auto;display:block;margin:.4rem 0 .8rem}.week .tick{fill:var(--soft);font-size:12px}.week g text{font-size:13px;font-weight:600}.week .now{stroke:var(--crit);stroke-width:2}
  .p0 rect{fill:#cfe0f5}.p0 text{fill:#15406e}.p1 rect{fill:#fbdcc4}.p1 text{fill:#7a3606}.p2 rect{fill:#d3ecd7}.p2 text{fill:#1b5a2e}.p3 rect{fill:#e7d8f3}.p3 text{fill:#57297c}.p4 rect{fill:#f6eab8}.p4 text{fill:#5f4d00}.p5 rect{fill:#f8d5dc}.p5 text{fill:#82203a}.p6 rect{fill:#cdeeee}.p6 text{fill:#0e5456}.p7 rect{fill:#dfe2e6}.p7 text{fill:#3a424b}
  .p-none rect{fill:none;stroke:var(--crit);stroke-dasharray:4 3}.p-none text{fill:var(--crit)}
  @media (prefers-color-scheme:dark){.p0 rect{fill:#1f3f63}.p0 text{fill:#cfe3fb}.p1 rect{fill:#5c3413}.p1 text{fill:#ffdcbd}.p2 rect{fill:#1f4a2c}.p2 text{fill:#c6f0d0}.p3 rect{fill:#44295e}.p3 text{fill:#ead6fb}.p4 rect{fill:#4d4211}.p4 text{fill:#f8eaa8}.p5 rect{fill:#5e2234}.p5 text{fill:#ffd3dd}.p6 rect{fill:#154a4b}.p6 text{fill:#c2f1f1}.p7 rect{fill:#363c43}.p7 text{fill:#dde2e8}}
  .foot{margin:.8rem 0 0}.small{font-size:1rem!important}.bad-card{border-color:var(--crit)}.bad-card h2{color:var(--crit)}
  .preview{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1rem 1.1rem;margin-bottom:1rem;max-width:44rem}
  .preview h3{margin:0 0 .5rem;font-size:1.1rem}.preview .fields{display:grid;grid-template-columns:1fr 1fr;gap:.3rem 1rem}.preview p{white-space:pre-line;overflow-wrap:anywhere}
  .preview .fake-button{display:inline-block;border:1px solid var(--line);border-radius:6px;padding:.25rem .8rem;margin:.2rem .4rem .2rem 0;font-weight:600;font-size:.9rem}.preview .fake-button.primary{background:var(--good);color:var(--card);border-color:var(--good)}
  .preview .context{color:var(--soft);font-size:.85rem}.preview hr{border:0;border-top:1px solid var(--line)}
  .preview-pagerduty{border-left:4px solid var(--crit)}
  .said .pair{margin-right:.8rem;display:inline-block;max-width:100%;overflow-wrap:anywhere}
  @media (max-width:60rem){.columns{grid-template-columns:minmax(0,1fr)}.side-column{position:static;order:-1;display:contents}.columns{display:flex;flex-direction:column}.main-column{display:contents}.columns section{width:100%;margin-bottom:0}#actions{order:-2}#chart{order:-3}}
  @media (max-width:44rem){
  body{font-size:16px}.top{gap:.2rem .8rem}nav{order:3;flex-basis:100%}
  input,select,textarea,button{font-size:16px;min-height:2.75rem}
  .tiles{margin-left:0}
  .alerts thead{position:absolute;clip-path:inset(50%);height:1px;width:1px;overflow:hidden}
  .alerts,.alerts tbody{display:block}
  .alerts .row{display:grid;grid-template-columns:auto 1fr auto;gap:.15rem .7rem;padding:.75rem .9rem;border-bottom:1px solid var(--line);box-shadow:inset 3px 0 0 var(--low)}
  .alerts .row-critical{box-shadow:inset 3px 0 0 var(--crit)}.alerts .row-high{box-shadow:inset 3px 0 0 var(--high)}.alerts .row-medium{box-shadow:inset 3px 0 0 var(--med)}
  .alerts .row:last-child{border-bottom:0}
  .alerts td{padding:0;border:0}.alerts td:first-child{box-shadow:none}.row:hover td{background:none}
  .c-sev{grid-column:1;width:auto}.c-age{grid-column:3;grid-row:1;color:var(--soft)}.c-state{grid-column:2;grid-row:1}.c-what{grid-column:1/-1}.c-value{grid-column:1/-1;text-align:left}.c-value .sub,.c-value .change{display:inline;margin-left:.5rem}.c-count{display:none}.c-next{grid-column:1/-1;color:var(--soft)}.c-next .sub{display:inline;margin-left:.4rem}.c-state .sub{display:inline;margin-left:.3rem}
  .messages a{grid-template-columns:1fr}.m-title{white-space:normal}
  .ev{grid-template-columns:minmax(0,1fr);gap:0}.ev time{text-align:left;padding-left:1rem}
  .plain,.plain tbody,.plain tr,.plain td{display:block}.plain thead{display:none}.plain td{border:0;padding:.2rem 1rem}.plain tr{border-bottom:1px solid var(--line);padding:.6rem 0}.card .plain td{padding:.15rem 0}
  .week .tick{font-size:23px}.week g text{font-size:24px}
  .chart .tick{font-size:20px}.chart .mark-text{font-size:24px}
  .buttons button{flex:1 1 auto}.facts{grid-template-columns:minmax(5rem,34%) minmax(0,1fr)}}
  @media (prefers-reduced-motion:no-preference){.row,.tile,button{transition:background-color .12s,border-color .12s}}
  @media print{.top,.bottom,.filters,.actions{display:none}body{background:#fff}}
  """
