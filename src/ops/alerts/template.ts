// Texts of alerts: the part of Prometheus' template language that rules use, `{{ $labels.agent }}` and `{{ $value | humanize }}`.
import { humanize, humanize1024, humanizeDuration, humanizePercentage, plain } from './humanize.ts';
import type { Labels } from './labels.ts';

export interface TemplateData {
  readonly labels: Labels;
  readonly value: number;
}
type Value = string | number | Labels;
type Call = readonly string[];
/** Text, or a pipeline of calls. */
type Part = string | readonly Call[];
export type Template = readonly Part[];

const MAX_CHARS = 4096;

const FUNCTIONS: Readonly<Record<string, (...values: Value[]) => Value>> = {
  humanize: (value) => humanize(numberOf(value)),
  humanize1024: (value) => humanize1024(numberOf(value)),
  humanizeDuration: (value) => humanizeDuration(numberOf(value)),
  humanizePercentage: (value) => humanizePercentage(numberOf(value)),
  toUpper: (value) => textOf(value).toUpperCase(),
  toLower: (value) => textOf(value).toLowerCase(),
  index: (labels, name) => labelOf(labels, textOf(name)),
  printf: (format, ...values) => formatted(textOf(format), values),
};

/** Throws a `SyntaxError` that says what is wrong, before anything is fired by it. */
export function parseTemplate(text: string): Template {
  const parts: Part[] = [];
  let at = 0;
  for (;;) {
    const open = text.indexOf('{{', at);
    if (open < 0) break;
    const close = text.indexOf('}}', open);
    if (close < 0) throw new SyntaxError(`"{{" at character ${open + 1} is not closed`);
    if (open > at) parts.push(text.slice(at, open));
    const inner = text.slice(open + 2, close);
    parts.push(parsePipeline(inner.replace(/^-\s|\s-$/g, ' ')));
    at = close + 2;
  }
  if (at < text.length) parts.push(text.slice(at));
  return parts;
}

/** Throws when it cannot be said: a label that is not there, a number that is none. */
export function renderTemplate(template: Template, data: TemplateData): string {
  const text = template.map((part) => (typeof part === 'string' ? part : textOf(run(part, data)))).join('');
  if (text.length > MAX_CHARS) throw new RangeError(`text of ${text.length} characters, at most ${MAX_CHARS} are sent`);
  return text;
}

/** Whether it is the same text for whatever data. */
export function isPlain(template: Template): boolean {
  return template.every((part) => typeof part === 'string');
}

/** Whether it speaks of the value, which must not become part of an alert's identity. */
export function usesValue(template: Template): boolean {
  return template.some((part) => typeof part !== 'string' && part.some((call) => call.some((word) => isValue(word))));
}

const isValue = (word: string): boolean => word === '$value' || word === '.Value' || word === 'value';

function parsePipeline(source: string): Call[] {
  const calls: string[][] = [[]];
  let rest = source;
  while ((rest = rest.trimStart()) !== '') {
    const word = /^(?:"(?:[^"\\]|\\.)*"|`[^`]*`|\||[^\s|"`]+)/.exec(rest)?.[0];
    if (word === undefined) throw new SyntaxError(`cannot read "${rest.trim()}"`);
    rest = rest.slice(word.length);
    if (word === '|') calls.push([]);
    else calls.at(-1)?.push(word);
  }
  calls.forEach((call, i) => {
    const [head] = call;
    if (head === undefined) throw new SyntaxError(`"{{${source}}}" has an empty step`);
    const known = Object.hasOwn(FUNCTIONS, head);
    if (i > 0 && !known) throw new SyntaxError(`unknown function "${head}"`);
    if (!known && call.length > 1) throw new SyntaxError(`unknown function "${head}"`);
    for (const word of known ? call.slice(1) : call) checkOperand(word);
  });
  return calls;
}

function checkOperand(word: string): void {
  const known =
    isValue(word) ||
    /^(?:\$l|\.L|l)abels(?:\.\w+)?$|^["`]/.test(word) ||
    (word !== '' && Number.isFinite(Number(word)));
  if (!known) throw new SyntaxError(`unknown "${word}"; there are $value and $labels.NAME`);
}

function run(calls: readonly Call[], data: TemplateData): Value {
  let result: Value | undefined;
  for (const [head = '', ...words] of calls) {
    const call = Object.hasOwn(FUNCTIONS, head) ? FUNCTIONS[head] : undefined;
    const given = (call === undefined ? [] : words).map((word) => operand(word, data));
    if (result !== undefined) given.push(result);
    result = call === undefined ? operand(head, data) : call(...given);
  }
  return result ?? '';
}

function operand(word: string, data: TemplateData): Value {
  if (isValue(word)) return data.value;
  const label = /^(?:\$l|\.L|l)abels(?:\.(\w+))?$/.exec(word);
  if (label !== null) return label[1] === undefined ? data.labels : labelOf(data.labels, label[1]);
  if (word.startsWith('`')) return word.slice(1, -1);
  return word.startsWith('"') ? (JSON.parse(word) as string) : Number(word);
}

function labelOf(labels: Value | undefined, name: string): string {
  if (typeof labels !== 'object') throw new TypeError('index needs $labels');
  const value = Object.hasOwn(labels, name) ? labels[name] : undefined;
  if (value === undefined) throw new TypeError(`no label "${name}"`);
  return value;
}

function numberOf(value: Value | undefined): number {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  if (typeof number !== 'number' || (Number.isNaN(number) && typeof value === 'string')) {
    throw new TypeError(`${JSON.stringify(value)} is no number`);
  }
  return number;
}

function textOf(value: Value | undefined): string {
  if (typeof value === 'number') return plain(value);
  if (typeof value === 'string') return value;
  return Object.entries(value ?? {})
    .map(([name, text]) => `${name}=${text}`)
    .join(' ');
}

function formatted(format: string, values: readonly Value[]): string {
  let next = 0;
  const text = format.replace(/%(?:%|(\.\d+)?([a-zA-Z]))/g, (whole, digits: string | undefined, verb: string) => {
    if (whole === '%%') return '%';
    const value = values[next++];
    if (value === undefined) throw new TypeError(`printf: no value for ${whole}`);
    if (verb === 's' || verb === 'v') return textOf(value);
    const places = Math.min(20, digits === undefined ? 6 : Number(digits.slice(1)));
    if (verb === 'f') return numberOf(value).toFixed(places);
    if (verb === 'd') return String(Math.trunc(numberOf(value)));
    if (verb === 'g') {
      return digits === undefined ? plain(numberOf(value)) : plain(Number(numberOf(value).toPrecision(places || 1)));
    }
    throw new TypeError(`printf: ${whole} is not known`);
  });
  if (next < values.length) throw new TypeError('printf: more values than places');
  return text;
}
