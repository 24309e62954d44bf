// How many words of a reference transcript were recognized: the only measure of intelligibility that needs no listener.

/** 1 less the word error rate (substitutions, deletions and insertions over the reference's words), 0 at least. Case and punctuation do
 *  not count. Null when the reference holds no words: then there is nothing to measure against. */
export function wordAccuracy(reference: string, recognized: string): number | null {
  const [said, heard] = [wordsOf(reference), wordsOf(recognized)];
  if (said.length === 0) return null;
  let before = Array.from({ length: heard.length + 1 }, (_, i) => i);
  for (const [i, word] of said.entries()) {
    const row = [i + 1];
    for (const [j, other] of heard.entries()) {
      const [left, above, diagonal] = [row[j] as number, before[j + 1] as number, before[j] as number];
      row.push(Math.min(left + 1, above + 1, diagonal + (word === other ? 0 : 1)));
    }
    before = row;
  }
  return Math.max(0, 1 - (before[heard.length] as number) / said.length);
}

function wordsOf(text: string): string[] {
  return (
    text
      .toLowerCase()
      .normalize('NFKC')
      .match(/[\p{L}\p{N}]+(?:['’][\p{L}\p{N}]+)*/gu) ?? []
  );
}
