// How the report looks: light, or dark where the reader's system is; colours that are told apart by most eyes (Okabe and Ito), darker for text on white.

export const REPORT_STYLE = `
:root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--text:#1c2330;--soft:#5c6675;--rule:#e3e7ed;--strong:#c3cad5;--gap:#e9ecf1;--bars:#c6cfdc;--note:#fff6e0;--note-edge:#e0b040;
--c0:#0072b2;--c1:#d55e00;--c2:#a0307a;--c3:#009e73;--c4:#b8860b;--c5:#3d9bd1;--c6:#6b4fa0;--c7:#707070}
@media (prefers-color-scheme:dark){:root{--page:#11151c;--card:#191f29;--text:#e6eaf1;--soft:#9aa5b5;--rule:#2a323f;--strong:#465264;--gap:#222935;--bars:#3d4a5e;--note:#2c2717;--note-edge:#a8842c;
--c0:#56b4e9;--c1:#f0853a;--c2:#e08ac4;--c3:#2fc79c;--c4:#e6c04a;--c5:#8fd0f5;--c6:#b09be0;--c7:#a8a8a8}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1040px;margin:0 auto;padding:32px 20px 48px}
h1{font-size:26px;line-height:1.2;margin:0}
.range{font-size:17px;margin:6px 0 0;font-variant-numeric:tabular-nums}
h2{font-size:17px;margin:0;overflow-wrap:anywhere}
h3{font-size:13px;font-weight:600;margin:14px 0 2px;color:var(--soft)}
.sub{color:var(--soft);font-size:13px;margin:2px 0 10px;overflow-wrap:anywhere}
code{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.note{background:var(--note);border-left:3px solid var(--note-edge);padding:8px 12px;border-radius:0 6px 6px 0;margin:10px 0;font-size:14px}
nav{display:flex;flex-wrap:wrap;gap:6px;margin:14px 0 20px}
nav a{font-size:12.5px;color:var(--text);text-decoration:none;background:var(--card);border:1px solid var(--rule);border-radius:14px;padding:2px 10px}
nav a:hover,nav a:focus{border-color:var(--c0)}
section{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:16px 18px 12px;margin:0 0 18px;break-inside:avoid}
svg{display:block;width:100%;height:auto;font:11px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif}
.grid{stroke:var(--rule);fill:none}.grid.strong{stroke:var(--strong)}.axis{stroke:var(--strong);fill:none}
.mark{fill:var(--soft);font-variant-numeric:tabular-nums}
.line{fill:none;stroke:var(--c);stroke-width:1.6;stroke-linejoin:round}
.dot{fill:var(--c)}.band{fill:var(--c);opacity:.16}.bars path,path.bars{fill:var(--bars)}
.gap{fill:var(--gap)}
.hit{fill:transparent}.hit:hover{fill:var(--text);opacity:.12}
.c0{--c:var(--c0)}.c1{--c:var(--c1)}.c2{--c:var(--c2)}.c3{--c:var(--c3)}.c4{--c:var(--c4)}.c5{--c:var(--c5)}.c6{--c:var(--c6)}.c7{--c:var(--c7)}
.keys{margin:0 0 4px;font-size:12.5px;color:var(--soft)}
.key{margin-right:14px}.key::before{content:"";display:inline-block;width:14px;height:3px;border-radius:2px;background:var(--c);margin-right:6px;vertical-align:middle}
th .key{margin-right:0}.key.bars{--c:var(--bars)}.key.bars::before{height:9px}
table{border-collapse:collapse;width:100%;margin:8px 0 4px;font-size:13px;font-variant-numeric:tabular-nums}
th,td{padding:4px 8px;text-align:right;border-top:1px solid var(--rule);white-space:nowrap}
thead th{border-top:0;color:var(--soft);font-weight:500}
tbody th{text-align:left;min-width:3.5em;font-weight:500;white-space:normal;overflow-wrap:anywhere;padding-left:0}
footer{color:var(--soft);font-size:12.5px;margin-top:20px}
@media print{body{background:#fff}main{max-width:none;padding:0}nav{display:none}.hit{display:none}}
@media (max-width:640px){main{padding:18px 10px}section{padding:12px 10px}table{display:block;overflow-x:auto}}
`;
