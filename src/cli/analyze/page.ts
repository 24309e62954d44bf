// The analysis as one page that needs nothing else: what it is worth, the charts, the windows as a table.
import type { Measurement } from './measure.ts';
import { cells, HEADS, headlines, remark, type Source } from './table.ts';

const STYLE = `
:root{color-scheme:light dark;--paper:#ffffff;--ink:#1c2430;--soft:#5d6876;--grid:#dde2e8}
@media (prefers-color-scheme:dark){:root{--paper:#12161c;--ink:#e6eaef;--soft:#9da9b6;--grid:#2a323c}}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:1200px;margin:0 auto;padding:20px 24px 48px}
h1{font-size:20px;margin:0 0 6px;overflow-wrap:anywhere}p{margin:2px 0;color:var(--soft)}svg{margin:14px 0 6px;display:block;min-width:720px}
.wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:14px}
th,td{padding:4px 12px;text-align:right;border-bottom:1px solid var(--grid);white-space:nowrap}
th{color:var(--soft);font-weight:600}td:last-child,th:last-child{text-align:left}`;

export function pageHtml(source: Source, found: Measurement, words: number | null, svg: string): string {
  const [first = '', ...more] = headlines(source, found, words).map(escapeHtml);
  const rows = found.windows.map(
    (window) => `<tr>${[...cells(window), remark(window)].map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`,
  );
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">',
    `<title>${escapeHtml(source.file)}: audio analysis</title><style>${STYLE}</style></head><body><main>`,
    `<h1>${first}</h1>`,
    ...more.map((line) => `<p>${line}</p>`),
    `<div class="wide">${svg}</div>`,
    '<div class="wide"><table><thead><tr>',
    ...[...HEADS, 'remarks'].map((head) => `<th scope="col">${head}</th>`),
    `</tr></thead><tbody>${rows.join('')}</tbody></table></div>`,
    '<p>The index is a signal-quality index from 1 to 5, calibrated to DNSMOS and the E-model, not a subjective MOS.</p>',
    '</main></body></html>\n',
  ].join('\n');
}

function escapeHtml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}
