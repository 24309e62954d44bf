// Chooses what a simulated language model says next, from the script and the messages alone.
import { CUT } from './recognizer.ts';
import { DEFAULT_FALLBACK, DEFAULT_GREETING, DEFAULT_UNCLEAR, type Script } from './script.ts';

/** A message as it is on the wire, reduced to what matters here. */
export interface SpokenMessage {
  readonly role: string;
  readonly text: string;
  readonly hasToolCalls: boolean;
}
export interface Answer {
  readonly text: string;
  readonly toolCalls: readonly { readonly name: string; readonly arguments: string }[];
}

export function answerTo(
  messages: readonly SpokenMessage[],
  offeredTools: ReadonlySet<string>,
  script: Script,
): Answer {
  const groups = userGroups(messages);
  const last = groups.at(-1);
  const say = (text: string): Answer => ({ text, toolCalls: [] });
  if (!last) return say(script.greeting ?? DEFAULT_GREETING);
  const turn = findTurn(groups, script);
  if (turn) {
    const answered = messages.at(-1)?.role === 'tool';
    const wanted = answered ? [] : (turn.tools ?? []).filter((tool) => offeredTools.has(tool.name));
    if (wanted.length > 0) {
      const toolCalls = wanted.map((tool) => ({ name: tool.name, arguments: JSON.stringify(tool.arguments ?? {}) }));
      return { text: '', toolCalls };
    }
    const result = messages.findLast((message) => message.role === 'tool')?.text ?? '';
    return say(turn.reply.replaceAll('{result}', () => result));
  }
  const heard = last.join(' ');
  if (heard.includes(CUT)) return say(script.unclear ?? DEFAULT_UNCLEAR);
  const words = new Set(plain(heard).split(' '));
  const known = script.keywords?.find((entry) => entry.words.some((word) => words.has(plain(word))));
  return say(known?.reply ?? script.fallback ?? DEFAULT_FALLBACK);
}

/** The turn whose words these are; where the caller says the same thing several times, the one that is due. */
function findTurn(groups: readonly string[][], script: Script): NonNullable<Script['turns']>[number] | undefined {
  const last = groups.at(-1) ?? [];
  // Messages with nothing said between them may be one turn, or turns whose replies were never heard.
  for (const text of [last.join(' '), last.at(-1) ?? '']) {
    const wanted = plain(text);
    const fitting = (script.turns ?? []).filter((turn) => plain(turn.user) === wanted);
    const before = groups.slice(0, -1).filter((group) => plain(group.join(' ')) === wanted).length;
    const turn = fitting[Math.min(before, fitting.length - 1)];
    if (turn) return turn;
  }
  return undefined;
}

/** What the caller said, message by message, in groups between which the agent spoke or used a tool. */
function userGroups(messages: readonly SpokenMessage[]): string[][] {
  const groups: string[][] = [];
  let open = false;
  for (const { role, text, hasToolCalls } of messages) {
    if (role === 'user') {
      if (open) groups.at(-1)?.push(text);
      else groups.push([text]);
      open = true;
    } else if (role === 'assistant' && (text.trim() !== '' || hasToolCalls)) open = false;
  }
  return groups;
}

function plain(text: string): string {
  return text
    .toLowerCase()
    .replace(/[’']/g, '')
    .replace(/[^\p{L}\p{N}[\]]+/gu, ' ')
    .trim();
}
