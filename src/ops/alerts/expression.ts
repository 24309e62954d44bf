// Regular expressions that people write into silences: only those that end soon, whatever label they meet.

const MAX_CHARS = 500;
/** Of `*`, `+` and `{...}`: each multiplies the ways in which a label can be tried. */
const MAX_REPETITIONS = 3;
const QUANTIFIER = /^(?:[*+]|\{\d+(?:,\d*)?\})/;

/** Throws for an expression that cannot be read (`SyntaxError`), or that could take for ever (`RangeError`). */
export function checkExpression(source: string): void {
  if (source.length > MAX_CHARS) throw new RangeError(`An expression has at most ${MAX_CHARS} characters`);
  new RegExp(source);
  /** For each open group: whether something in it can be matched in several ways. */
  const groups = [false];
  const mark = (): void => {
    groups[groups.length - 1] = true;
  };
  let repetitions = 0;
  let closed = false;
  for (let i = 0; i < source.length; ) {
    const rest = source.slice(i);
    const repeats = QUANTIFIER.exec(rest)?.[0];
    if (repeats !== undefined) {
      // What can be tried in two ways, repeated, is tried in exponentially many.
      if (closed)
        throw new RangeError('An expression must not repeat a group in which something repeats or has a choice');
      if (++repetitions > MAX_REPETITIONS) {
        throw new RangeError(`An expression repeats at most ${MAX_REPETITIONS} times`);
      }
      mark();
      i += repeats.length;
      continue;
    }
    closed = false;
    if (rest.startsWith('(')) {
      groups.push(false);
      i += /^\((?:\?(?:[:=!]|<[=!]|<\w+>))?/.exec(rest)?.[0].length ?? 1;
    } else if (rest.startsWith(')')) {
      closed = groups.pop() === true;
      if (closed) mark();
      i++;
    } else if (rest.startsWith('[')) i += /^\[(?:\\.|[^\]\\])*\]/s.exec(rest)?.[0].length ?? 1;
    else {
      if (rest.startsWith('|') || rest.startsWith('?')) mark();
      i += rest.startsWith('\\') ? 2 : 1;
    }
  }
}
