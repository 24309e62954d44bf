// Prometheus text of several processes as one: each family once, each series with the number of its process.

interface Family {
  readonly comments: string[];
  readonly samples: string[];
}

const COMMENT = /^# (?:HELP|TYPE) ([a-zA-Z_:][\w:]*)/;
const SAMPLE = /^([a-zA-Z_:][\w:]*)(\{)?/;

/** `process` becomes the first label of each sample. Lines that are none of the format are left out. */
export function mergePrometheus(texts: readonly { readonly process: string; readonly text: string }[]): string {
  const families = new Map<string, Family>();
  for (const { process, text } of texts) {
    let family: Family | null = null;
    let name = '';
    const isFirst = new Set<string>();
    for (const line of text.split('\n')) {
      const comment = COMMENT.exec(line)?.[1];
      if (comment !== undefined) {
        if (comment !== name || family === null) {
          name = comment;
          family = families.get(name) ?? null;
          if (family === null) {
            family = { comments: [], samples: [] };
            families.set(name, family);
            isFirst.add(name);
          }
        }
        // Said once, by the process that knew it first.
        if (isFirst.has(name)) family.comments.push(line);
        continue;
      }
      const [head, own, brace] = SAMPLE.exec(line) ?? [];
      if (head === undefined || own === undefined) continue;
      if (family === null || !own.startsWith(name)) {
        name = own;
        family = families.get(name) ?? { comments: [], samples: [] };
        families.set(name, family);
      }
      const rest = line.slice(head.length);
      const label = `process="${process}"`;
      family.samples.push(
        brace === undefined ? `${own}{${label}}${rest}` : `${own}{${label}${rest.startsWith('}') ? '' : ','}${rest}`,
      );
    }
  }
  let all = '';
  for (const { comments, samples } of families.values()) {
    if (samples.length > 0) all += `${[...comments, ...samples].join('\n')}\n`;
  }
  return all;
}
