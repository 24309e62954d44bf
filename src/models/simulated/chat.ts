// POST /v1/chat/completions: the script's answers, streamed word by word or whole, with tools and usage.
import * as v from 'valibot';
import type { Exchange } from './app.ts';
import { answerTo } from './conversation.ts';
import { parseBody } from './request-body.ts';
import { sse, streamed, tear } from './wire.ts';

const Content = v.nullish(v.union([v.string(), v.array(v.looseObject({ text: v.optional(v.string()) }))]));
const ChatRequest = v.looseObject({
  model: v.string(),
  messages: v.pipe(
    v.array(
      v.looseObject({
        role: v.picklist(['system', 'developer', 'user', 'assistant', 'tool', 'function']),
        content: Content,
        tool_calls: v.optional(v.array(v.unknown())),
      }),
    ),
    v.minLength(1),
  ),
  stream: v.nullish(v.boolean()),
  stream_options: v.nullish(v.looseObject({ include_usage: v.optional(v.boolean()) })),
  tools: v.nullish(v.array(v.looseObject({ function: v.optional(v.looseObject({ name: v.string() })) }))),
});

export async function chat(exchange: Exchange): Promise<Response> {
  const { signal, clock, latency, nth } = exchange;
  const ask = await parseBody(exchange.request, ChatRequest);
  const offered = new Set((ask.tools ?? []).flatMap((tool) => (tool.function ? [tool.function.name] : [])));
  const messages = ask.messages.map((message) => ({
    role: message.role,
    text: textOf(message.content),
    hasToolCalls: (message.tool_calls?.length ?? 0) > 0,
  }));
  const { text, toolCalls } = answerTo(messages, offered, exchange.script);
  const words = text.match(/\s*\S+/g) ?? [];
  const calls = toolCalls.map((call, index) => ({
    index,
    id: `call_${nth}_${index + 1}`,
    type: 'function',
    function: call,
  }));
  const finish = calls.length > 0 ? 'tool_calls' : 'stop';
  const usage = usageOf(messages, words.length + calls.length * 10);
  const base = { id: `chatcmpl-${nth}`, created: Math.floor(Date.now() / 1000), model: ask.model };
  let due = exchange.arrivedMs + latency.firstMs;
  const until = (gone: AbortSignal): Promise<void> => clock.sleep(due - clock.now(), gone);

  if (!ask.stream) {
    for (let i = 1; i < words.length; i++) due += latency.tokenMs();
    await until(signal);
    const message = {
      role: 'assistant',
      content: calls.length > 0 ? null : text,
      refusal: null,
      ...(calls.length > 0 ? { tool_calls: calls.map(({ index: _, ...call }) => call) } : {}),
    };
    const body = JSON.stringify({
      ...base,
      object: 'chat.completion',
      choices: [{ index: 0, finish_reason: finish, logprobs: null, message }],
      usage,
    });
    if (!exchange.halfClose) return new Response(body, { headers: { 'content-type': 'application/json' } });
    return streamed('application/json', signal, async (send, gone) => {
      send(new TextEncoder().encode(body.slice(0, body.length / 2)));
      await tear(gone);
    });
  }

  const withUsage = ask.stream_options?.include_usage === true;
  const chunk = (delta: object, finishReason: string | null = null): Uint8Array =>
    sse({
      ...base,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta, finish_reason: finishReason, logprobs: null }],
      ...(withUsage ? { usage: null } : {}),
    });
  await until(signal);
  return streamed('text/event-stream', signal, async (send, gone) => {
    // As OpenAI sends them: the name first, then the arguments in pieces.
    for (const { index, id, type, function: call } of calls) {
      const role = index === 0 ? { role: 'assistant', content: null } : {};
      send(chunk({ ...role, tool_calls: [{ index, id, type, function: { name: call.name, arguments: '' } }] }));
      if (exchange.halfClose) await tear(gone);
      for (const piece of call.arguments.match(/.{1,12}/gs) ?? []) {
        send(chunk({ tool_calls: [{ index, function: { arguments: piece } }] }));
      }
    }
    for (const [i, word] of words.entries()) {
      if (i > 0) due += latency.tokenMs();
      await until(gone);
      if (gone.aborted) return;
      if (exchange.halfClose && i >= 1) await tear(gone);
      send(chunk(i === 0 ? { role: 'assistant', content: word } : { content: word }));
    }
    if (exchange.halfClose) await tear(gone);
    send(chunk({}, finish));
    if (withUsage) send(sse({ ...base, object: 'chat.completion.chunk', choices: [], usage }));
    send(sse('[DONE]'));
  });
}

function textOf(content: v.InferOutput<typeof Content>): string {
  if (typeof content === 'string') return content;
  return (content ?? []).map((part) => part.text ?? '').join(' ');
}

/** Four characters to a token, which is near the truth for English. */
function usageOf(messages: readonly { text: string }[], completion: number): object {
  const prompt = messages.reduce((sum, message) => sum + Math.ceil(message.text.length / 4) + 4, 0);
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}
