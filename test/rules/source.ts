// The repository's files as the rules read them: walked from the root, with comments and texts blanked where only code counts.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const OUTSIDE = new Set(['.git', '.cache', 'node_modules', 'dist', 'out', 'rivals']);
export const SOURCE_FOLDERS = ['src', 'wasm', 'scripts', 'test', 'benchmarks', 'examples'];

/** Paths relative to the root, with `/`, sorted. */
export function filesUnder(...folders: string[]): string[] {
  const found: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (OUTSIDE.has(entry.name)) continue;
      if (entry.isDirectory()) walk(path);
      else if (entry.isFile()) found.push(path);
    }
  };
  for (const folder of folders) walk(folder);
  return found.sort();
}

/** Hand-written TypeScript and JavaScript below the folders. */
export function sourcesUnder(...folders: string[]): string[] {
  return filesUnder(...folders).filter(
    (path) => ['.ts', '.js', '.mjs', '.cjs'].includes(extname(path)) && !path.includes('.generated.'),
  );
}

export function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** The text with comments blanked; line numbers and columns stay. */
export function withoutComments(text: string): string {
  return blank(text, false);
}

/** The text with comments, strings and regular expressions blanked; code inside `${}` stays. */
export function codeOnly(text: string): string {
  return blank(text, true);
}

/** `path:line: the line` for each match of the pattern in the (blanked) text. */
export function matches(path: string, blanked: string, pattern: RegExp): string[] {
  const lines = textOf(path).split('\n');
  return [...blanked.matchAll(new RegExp(pattern.source, `${pattern.flags.replace('g', '')}g`))].map((match) => {
    const line = blanked.slice(0, match.index).split('\n').length;
    return `${path}:${line}: ${lines[line - 1]?.trim()}`;
  });
}

function blank(text: string, textsToo: boolean): string {
  let out = '';
  let at = 0;
  const keep = (end: number): void => {
    out += text.slice(at, end);
    at = end;
  };
  const hide = (end: number): void => {
    out += text.slice(at, end).replace(/[^\n]/g, ' ');
    at = end;
  };
  // One entry for each open `${`: how many braces are open inside it.
  const templates: number[] = [];
  const template = (): void => {
    let end = at;
    for (; end < text.length && text[end] !== '`'; end++) {
      if (text[end] === '\\') end++;
      else if (text[end] === '$' && text[end + 1] === '{') break;
    }
    (textsToo ? hide : keep)(end);
    if (text[at] === '$') templates.push(0);
    keep(at + (text[at] === '$' ? 2 : 1));
  };
  while (at < text.length) {
    const char = text[at];
    if (text.startsWith('//', at) || (at === 0 && text.startsWith('#!'))) {
      hide(endOr(text, text.indexOf('\n', at)));
    } else if (text.startsWith('/*', at)) {
      const end = text.indexOf('*/', at);
      hide(end < 0 ? text.length : end + 2);
    } else if (char === "'" || char === '"') {
      (textsToo ? hide : keep)(endOfText(text, at, char));
    } else if (char === '`') {
      keep(at + 1);
      template();
    } else if (char === '/' && regexMayStart(out)) {
      (textsToo ? hide : keep)(endOfRegex(text, at));
    } else if (char === '}' && templates.at(-1) === 0) {
      templates.pop();
      keep(at + 1);
      template();
    } else {
      if (templates.length > 0 && (char === '{' || char === '}')) {
        templates.push((templates.pop() ?? 0) + (char === '{' ? 1 : -1));
      }
      keep(at + 1);
    }
  }
  return out;
}

function endOr(text: string, index: number): number {
  return index < 0 ? text.length : index;
}

function endOfText(text: string, start: number, quote: string): number {
  let end = start + 1;
  for (; end < text.length && text[end] !== quote && text[end] !== '\n'; end++) if (text[end] === '\\') end++;
  return end + 1;
}

function endOfRegex(text: string, start: number): number {
  let end = start + 1;
  for (let inClass = false; end < text.length && (inClass || text[end] !== '/') && text[end] !== '\n'; end++) {
    if (text[end] === '\\') end++;
    else if (text[end] === '[') inClass = true;
    else if (text[end] === ']') inClass = false;
  }
  return end + 1;
}

/** A slash divides after a value and opens a regular expression elsewhere. */
function regexMayStart(before: string): boolean {
  const code = before.trimEnd();
  return code === '' || /[(,=:[!&|?{};+<>~^*%-]$|\b(?:return|typeof|case|of|in)$/.test(code);
}
