// Splits a stream of bytes into the data of server-sent events.

/** An event that is longer than this is no answer of a language model. */
const MAX_EVENT_CHARS = 1_000_000;

export interface EventSplitter {
  /** The data of each event that `bytes` completes. Throws `SyntaxError` when an event is too long. */
  push(bytes: Uint8Array): string[];
  /** The event that the end of the stream completes, if any. */
  end(): string[];
}

/** Follows https://html.spec.whatwg.org/multipage/server-sent-events.html for `data`; other fields are not used by OpenAI's chat. */
export function createEventSplitter(): EventSplitter {
  const decoder = new TextDecoder();
  let rest = '';
  let data: string | undefined;
  const split = (text: string, last: boolean): string[] => {
    const events: string[] = [];
    rest += text;
    let from = 0;
    for (;;) {
      const to = rest.indexOf('\n', from);
      if (to < 0 && !(last && from < rest.length)) break;
      const end = to < 0 ? rest.length : to;
      const line = rest.slice(from, rest.charCodeAt(end - 1) === 13 && end > from ? end - 1 : end);
      from = end + 1;
      if (line === '') {
        if (data !== undefined) events.push(data);
        data = undefined;
      } else if (line.startsWith('data:')) {
        const value = line.slice(line.charCodeAt(5) === 32 ? 6 : 5);
        data = data === undefined ? value : `${data}\n${value}`;
      }
    }
    rest = rest.slice(from);
    if (rest.length + (data?.length ?? 0) > MAX_EVENT_CHARS) throw new SyntaxError('An event is too long');
    if (last && data !== undefined) {
      events.push(data);
      data = undefined;
    }
    return events;
  };
  return {
    push: (bytes) => split(decoder.decode(bytes, { stream: true }), false),
    end: () => split(decoder.decode(), true),
  };
}
