// A language model by OpenAI's chat completions, streamed: text as it comes, tool calls whole, usage, one finish.
import { APIError } from 'openai/error';
import type { ChatCompletionChunk, ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions';
import { ModelError, type GenerateEvent, type GenerateRequest, type LlmModel, type Message } from '../port.ts';
import { type BodyReader, readBody } from './body.ts';
import { createStageClient, type OpenAiConnection } from './client.ts';
import { createEventSplitter } from './server-sent-events.ts';
import { createToolCallAssembler } from './tool-calls.ts';

export interface OpenAiLlmConfig extends OpenAiConnection {
  /** Default: `gpt-4o-mini`. */
  readonly model?: string | undefined;
  readonly temperature?: number | undefined;
  readonly maxTokens?: number | undefined;
  /** The field that carries `maxTokens`: older servers know only `max_tokens`. Default: `max_completion_tokens`. */
  readonly maxTokensField?: 'max_tokens' | 'max_completion_tokens' | undefined;
  /** False for servers that refuse `stream_options`. Default: true. */
  readonly includeUsage?: boolean | undefined;
  /** Further fields of the request, e.g. `{ reasoning_effort: 'low' }`. */
  readonly extraBody?: Readonly<Record<string, unknown>> | undefined;
}

const DEFAULT_TIMEOUT_MS = 20_000;
type FinishReason = Extract<GenerateEvent, { type: 'finish' }>['reason'];

/** Throws `TypeError` without an API key. */
export function createOpenAiLlm(config: OpenAiLlmConfig): LlmModel & { warm(signal: AbortSignal): Promise<boolean> } {
  const client = createStageClient(config, 'llm', DEFAULT_TIMEOUT_MS);
  return {
    name: client.name,
    warm: client.warm,
    async *generate(request, signal) {
      const wire = bodyOf(request, config);
      const life = client.open(signal);
      let finished = false;
      let reason: FinishReason | undefined;
      let usage: GenerateEvent | undefined;
      let body: BodyReader | undefined;
      try {
        const api = await client.openai();
        const response = await api.chat.completions.create(wire, { signal: life.signal }).asResponse();
        body = readBody(response, life);
        const calls = createToolCallAssembler(client.name);
        const events = createEventSplitter();
        let bytes: Uint8Array | undefined;
        let done = false;
        do {
          try {
            bytes = await body.read();
          } catch (error) {
            // The reply is whole: a connection that breaks before the closing mark takes at most the usage along.
            if (reason === undefined) throw error;
            life.check();
            bytes = undefined;
          }
          for (const data of bytes ? events.push(bytes) : events.end()) {
            life.check();
            done = data === '[DONE]';
            if (done) break;
            const chunk = parseChunk(data, response.headers);
            usage = usageOf(chunk) ?? usage;
            const choice = chunk?.choices?.[0];
            const text = choice?.delta?.content || choice?.delta?.refusal;
            if (text) yield { type: 'text', text };
            for (const delta of choice?.delta?.tool_calls ?? []) {
              for (const call of calls.add(delta, chunk?.id ?? 'call')) yield { type: 'tool-call', call };
            }
            if (choice?.finish_reason && reason === undefined) {
              reason = finishOf(choice.finish_reason, calls.count);
              for (const call of calls.end()) yield { type: 'tool-call', call };
            }
          }
        } while (bytes && !done);
        life.check();
        if (reason === undefined) {
          throw new ModelError('protocol', client.name, 'The stream ended without a finish reason');
        }
        finished = true;
        body.close('drain');
        if (usage) yield usage;
        yield { type: 'finish', reason };
      } catch (error) {
        throw life.failure(error);
      } finally {
        if (!finished) body?.close('cancel');
        life.close(finished);
      }
    },
  };
}

/** Throws `SyntaxError` for what is no JSON, `APIError` for an error that the server sends in place of the rest. */
function parseChunk(data: string, headers: Headers): ChatCompletionChunk | null {
  const chunk = JSON.parse(data) as (ChatCompletionChunk & { error?: object }) | null;
  if (chunk?.error) throw new APIError(undefined, chunk.error, undefined, headers);
  return chunk;
}

function bodyOf(request: GenerateRequest, config: OpenAiLlmConfig): ChatCompletionCreateParamsStreaming {
  const temperature = request.temperature ?? config.temperature;
  const maxTokens = request.maxTokens ?? config.maxTokens;
  return {
    model: config.model ?? 'gpt-4o-mini',
    messages: request.messages.map(wireMessage),
    stream: true,
    ...(config.includeUsage === false ? {} : { stream_options: { include_usage: true } }),
    ...(request.tools.length === 0
      ? {}
      : { tools: request.tools.map((tool) => ({ type: 'function' as const, function: { ...tool } })) }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxTokens === undefined ? {} : { [config.maxTokensField ?? 'max_completion_tokens']: maxTokens }),
    ...config.extraBody,
  };
}

function wireMessage(message: Message): ChatCompletionCreateParamsStreaming['messages'][number] {
  switch (message.role) {
    case 'system':
    case 'user':
      return { role: message.role, content: message.content };
    case 'tool':
      return { role: 'tool', tool_call_id: message.toolCallId, content: message.content };
    case 'assistant':
      if (!message.toolCalls?.length) return { role: 'assistant', content: message.content };
      return {
        role: 'assistant',
        content: message.content || null,
        tool_calls: message.toolCalls.map(({ id, name, arguments: args }) => ({
          id,
          type: 'function',
          function: { name, arguments: args },
        })),
      };
  }
}

function finishOf(reason: string, calls: number): FinishReason {
  if (reason === 'length') return 'length';
  if (reason === 'content_filter') return 'content-filter';
  // Some servers say `stop` after tool calls.
  return calls > 0 || reason === 'tool_calls' || reason === 'function_call' ? 'tool-calls' : 'stop';
}

function usageOf(chunk: ChatCompletionChunk | null): GenerateEvent | undefined {
  const usage = chunk?.usage;
  if (typeof usage?.prompt_tokens !== 'number' || typeof usage.completion_tokens !== 'number') return undefined;
  return { type: 'usage', inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens };
}
