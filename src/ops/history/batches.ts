// Series that are read together: by their bytes, and not without end where they have few.

/** Behind the last of those that begin at `from`: at least one, then as many as `maxBytes` and `maxCount` allow. */
export function batchEnd(
  from: number,
  count: number,
  bytesOf: (at: number) => number,
  { maxBytes, maxCount }: { readonly maxBytes: number; readonly maxCount: number },
): number {
  const end = Math.min(count, from + maxCount);
  let to = from;
  for (let bytes = 0; to < end; to++) {
    bytes += bytesOf(to);
    if (to > from && bytes > maxBytes) break;
  }
  return to;
}
