// Cuts the model's text into pieces that a voice can speak, as soon as each is sure.
import type { ReplyOptions } from '../options.ts';

/** A full stop after these ends no sentence. */
const ABBREVIATIONS = new Set([
  'mr',
  'mrs',
  'ms',
  'dr',
  'prof',
  'st',
  'vs',
  'etc',
  'e.g',
  'i.e',
  'no',
  'approx',
  'inc',
  'jr',
  'sr',
]);
const ENDINGS = '.!?\u2026\u3002\uff01\uff1f';
const CLOSERS = '"\')]\u201d\u2019\u00bb';
const CLAUSE = ',;:\u2014\u2013';
/** Clause marks of scripts that write no spaces. */
const WIDE_CLAUSE = '\u3001\uff0c\uff1b\uff1a';

/** Push text as it comes; take what is speakable. No text is lost: all pieces together are the text less the white space between them. */
export class PieceSplitter {
  readonly #options: ReplyOptions;
  #text = '';
  #first = true;

  constructor(options: ReplyOptions) {
    this.#options = options;
  }

  push(text: string): string[] {
    this.#text += text;
    const pieces: string[] = [];
    for (let end = this.#cut(); end > 0; end = this.#cut()) this.#take(end, pieces);
    // A provider that sends whole words has sent a whole sentence; one that sends "." by itself may go on with "com".
    if (endsSentence(text) && !isAbbreviation(this.#text.slice(0, -1))) this.#take(this.#text.length, pieces);
    return pieces;
  }

  /** The text is complete: what is left is a piece. */
  flush(): string[] {
    const pieces = this.push('');
    if (this.#text.trim() !== '') this.#take(this.#text.length, pieces);
    this.#text = '';
    return pieces;
  }

  #take(end: number, pieces: string[]): void {
    const piece = this.#text.slice(0, end).trim();
    this.#text = this.#text.slice(end).trimStart();
    if (piece === '') return;
    this.#first = false;
    pieces.push(piece);
  }

  /** Where the next piece ends; 0 when it is not sure yet. */
  #cut(): number {
    const text = this.#text;
    for (let i = 0; i < text.length; i++) {
      if (text[i] === '\n' && isSpeakable(text.slice(0, i))) return i + 1;
      if (!ENDINGS.includes(text[i] as string)) continue;
      let end = i + 1;
      while (end < text.length && (ENDINGS + CLOSERS).includes(text[end] as string)) end++;
      if (end >= text.length) break; // more of the same sign, or a digit, may follow
      const wide = text.charCodeAt(i) > 0x3000;
      if (!wide && !isSpace(text[end] as string)) {
        i = end - 1;
        continue;
      }
      if (text[i] === '.' && isAbbreviation(text.slice(0, i))) continue;
      if (isSpeakable(text.slice(0, end))) return end;
    }
    const limit = this.#first ? this.#options.firstPieceChars : this.#options.maxPieceChars;
    return text.length <= limit || !isSpeakable(text) ? 0 : this.#cutLong(limit);
  }

  /** A sentence that is too long to wait for ends at its last clause, else at its last space. */
  #cutLong(limit: number): number {
    const text = this.#text;
    const { maxPieceChars } = this.#options;
    const sayable = (end: number) => (isSpeakable(text.slice(0, end)) ? end : 0);
    for (let i = limit; i >= limit / 4; i--) {
      const mark = text[i - 1] as string;
      const isClause = WIDE_CLAUSE.includes(mark) || (CLAUSE.includes(mark) && isSpace(text[i] ?? ''));
      if (isClause) return sayable(i);
    }
    if (text.length <= maxPieceChars) return 0;
    for (let i = maxPieceChars; i > 0; i--) if (isSpace(text[i] ?? '')) return sayable(i);
    // Not between the halves of a sign.
    const last = text.charCodeAt(maxPieceChars - 1);
    const isHalf = last >= 0xd800 && last < 0xdc00 && maxPieceChars > 1;
    return sayable(maxPieceChars - (isHalf ? 1 : 0));
  }
}

/** Latin, Greek, Cyrillic and what follows them, kana, Han, Hangul, digits: signs alone make a voice answer with nothing. */
export function isSpeakable(text: string): boolean {
  return /[A-Za-z0-9\u00c0-\u1fff\u3040-\ud7ff\ud840-\ud88f\uf900-\ufaff\uff10-\uff9f]/.test(text);
}

function isSpace(char: string): boolean {
  return char === ' ' || char === '\n' || char === '\t' || char === '\r' || char === '\u00a0';
}

/** A chunk of at least two letters and its ending, nothing after it. */
function endsSentence(chunk: string): boolean {
  return (
    chunk.length >= 3 &&
    ENDINGS.includes(chunk[chunk.length - 1] as string) &&
    isLetter(chunk[chunk.length - 2]) &&
    isLetter(chunk[chunk.length - 3])
  );
}

function isLetter(char: string | undefined): boolean {
  return char !== undefined && char.toLowerCase() !== char.toUpperCase();
}

/** `before`: the text up to a full stop. */
function isAbbreviation(before: string): boolean {
  const word = before.slice(Math.max(before.lastIndexOf(' '), before.lastIndexOf('\n')) + 1).toLowerCase();
  if (ABBREVIATIONS.has(word)) return true;
  return word.length === 1 && word >= 'a' && word <= 'z' && word !== 'i'; // an initial
}
