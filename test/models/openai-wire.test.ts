// The provider's wire at its worst, over real HTTP: each route, each kind of failure, aborts at each point.
import assert from 'node:assert/strict';
import type http from 'node:http';
import { after, test } from 'node:test';
import { createOpenAiModels, type OpenAiModelsConfig } from '../../src/models/openai/index.ts';
import { type GenerateEvent, ModelError, type ModelErrorKind, type Models } from '../../src/models/port.ts';
import { drain, listen } from './http-server.ts';

const unhandled: unknown[] = [];
process.on('unhandledRejection', (reason) => unhandled.push(reason));
after(() => assert.deepEqual(unhandled, []));

type Answer = (response: http.ServerResponse, request: http.IncomingMessage) => void | Promise<void>;
type Route = 'stt' | 'llm' | 'tts';
const ROUTES: readonly Route[] = ['stt', 'llm', 'tts'];
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Runs `use` against a provider that answers as told, and closes it. */
async function against(
  answer: Answer,
  use: (models: Models) => Promise<void>,
  config: OpenAiModelsConfig = {},
): Promise<void> {
  const server = await listen((request, response) => {
    response.on('error', () => {});
    drain(request).then(
      () => answer(response, request),
      () => {},
    );
  });
  try {
    await use(createOpenAiModels({ apiKey: 'secret-key', baseUrl: server.baseUrl, ...config }));
    await tick();
  } finally {
    await server.close();
  }
}

/** One request on a route, to its end; `onPiece` is told of each piece. */
async function ask(
  models: Models,
  route: Route,
  signal: AbortSignal = new AbortController().signal,
  onPiece = (_: unknown): void => {},
): Promise<unknown[]> {
  const pieces: unknown[] = [];
  const take = (piece: unknown): void => {
    pieces.push(piece);
    onPiece(piece);
  };
  if (route === 'stt')
    take((await models.stt.transcribe({ pcm: new Int16Array(3200), sampleRateHz: 16_000 }, signal)).text);
  if (route === 'llm') {
    const request = { messages: [{ role: 'user' as const, content: 'my secret words' }], tools: [] };
    for await (const event of models.llm.generate(request, signal)) take(event);
  }
  if (route === 'tts')
    for await (const chunk of models.tts.synthesize({ text: 'my secret words' }, signal)) take(chunk);
  return pieces;
}

async function failure(
  models: Models,
  route: Route,
  signal?: AbortSignal,
  onPiece?: (piece: unknown) => void,
): Promise<ModelError> {
  const error = await ask(models, route, signal, onPiece).then(
    () => assert.fail(`${route} did not fail`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ModelError, String(error));
  assert.equal(error.source, `openai.${route}`);
  assert.ok(!/secret/.test(error.message), `Told what it must not: ${error.message}`);
  return error;
}

const refuse =
  (status: number, error: object, headers: Record<string, string> = {}): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify({ error }));
  };
const chunk = (delta: object, finish: string | null = null, more: object = {}): string =>
  `data: ${JSON.stringify({ id: 'c1', choices: [{ index: 0, delta, finish_reason: finish }], ...more })}\n\n`;
const USAGE = `data: ${JSON.stringify({ id: 'c1', choices: [], usage: { prompt_tokens: 7, completion_tokens: 2 } })}\n\n`;
const type = (route: Route): Record<string, string> => ({
  'content-type': { stt: 'application/json', llm: 'text/event-stream', tts: 'audio/pcm' }[route],
});
/** The beginning of a good answer. */
const begin = (route: Route, response: http.ServerResponse): void => {
  response.writeHead(200, type(route));
  response.write(
    { stt: '{"text":', llm: chunk({ role: 'assistant', content: 'One' }), tts: Buffer.alloc(480, 1) }[route],
  );
};

const STATUSES: readonly [string, number, object, ModelErrorKind][] = [
  ['401', 401, { message: 'Incorrect API key provided: secret-key sk-secret', code: 'invalid_api_key' }, 'auth'],
  ['403', 403, { message: 'no' }, 'auth'],
  [
    '400 that repeats the request',
    400,
    { message: "Bad: 'my secret words'", param: 'messages', code: 'bad' },
    'invalid-request',
  ],
  ['404', 404, { message: 'The model `x` does not exist', code: 'model_not_found' }, 'invalid-request'],
  ['422', 422, { message: 'my secret words' }, 'invalid-request'],
  ['408', 408, { message: 'late' }, 'timeout'],
  ['429', 429, { message: 'slow down', code: 'rate_limit_exceeded' }, 'rate-limit'],
  ['429 without money', 429, { message: 'pay', type: 'insufficient_quota', code: 'insufficient_quota' }, 'quota'],
  ['500', 500, { message: 'oops' }, 'unavailable'],
  ['503', 503, { message: 'busy' }, 'unavailable'],
];
const RETRYABLE = new Set<ModelErrorKind>(['rate-limit', 'unavailable', 'timeout', 'protocol']);

for (const route of ROUTES) {
  for (const [name, status, body, kind] of STATUSES) {
    test(`${route}: ${name} is ${kind}`, () =>
      against(refuse(status, body), async (models) => {
        const error = await failure(models, route);
        assert.equal(error.kind, kind);
        assert.equal(error.retryable, RETRYABLE.has(kind));
        assert.match(error.message, new RegExp(String(status)));
      }));
  }

  test(`${route}: asks once, also after 500 and 429`, async () => {
    for (const status of [500, 429]) {
      let asked = 0;
      const answer: Answer = (response, request) => {
        asked += 1;
        return refuse(status, { message: 'no' })(response, request);
      };
      await against(answer, async (models) => void (await failure(models, route)));
      assert.equal(asked, 1);
    }
  });

  test(`${route}: Retry-After in seconds, in ms and as a date`, async () => {
    const after = (headers: Record<string, string>, check: (ms: number | undefined) => void): Promise<void> =>
      against(refuse(429, { message: 'x' }, headers), async (models) =>
        check((await failure(models, route)).retryAfterMs),
      );
    await after({ 'retry-after': '2' }, (ms) => assert.equal(ms, 2000));
    await after({ 'retry-after': '2', 'retry-after-ms': '350' }, (ms) => assert.equal(ms, 350));
    await after({ 'retry-after': new Date(Date.now() + 60_000).toUTCString() }, (ms) =>
      assert.ok(ms !== undefined && ms > 50_000 && ms <= 60_000),
    );
    await after({ 'retry-after': 'soon' }, (ms) => assert.equal(ms, undefined));
    await after({}, (ms) => assert.equal(ms, undefined));
  });

  test(`${route}: a server that is not there is unavailable`, async () => {
    const server = await listen(() => {});
    await server.close();
    const models = createOpenAiModels({ apiKey: 'k', baseUrl: server.baseUrl });
    assert.equal((await failure(models, route)).kind, 'unavailable');
  });

  test(`${route}: a connection that closes before an answer is unavailable or protocol`, () =>
    against(
      (response) => void response.destroy(),
      async (models) => assert.ok(['unavailable', 'protocol'].includes((await failure(models, route)).kind)),
    ));

  test(`${route}: a connection that breaks in the middle is protocol`, () => {
    let tear = (): void => {};
    return against(
      async (response) => {
        begin(route, response);
        tear = () => void response.destroy();
        // A transcription shows nothing of its beginning: it is torn whether that has arrived or not.
        if (route === 'stt') setImmediate(tear);
      },
      async (models) => {
        const { kind } = await failure(models, route, undefined, () => tear());
        assert.ok(kind === 'protocol' || (route === 'stt' && kind === 'unavailable'), kind);
      },
    );
  });

  test(`${route}: garbage is protocol`, async () => {
    const bodies = ['data: {"choices": [{]\u0000\u0001 <html>', '<html>busy</html>', '', 'null', '"x"'];
    for (const body of bodies) {
      for (const contentType of ['application/json', 'text/html']) {
        await against(
          (response) => {
            response.writeHead(200, { 'content-type': contentType });
            response.end(body);
          },
          async (models) => assert.equal((await failure(models, route)).kind, 'protocol', `${contentType} ${body}`),
        );
      }
    }
  });

  test(`${route}: a stall before the answer and in the middle of it is timeout`, async () => {
    for (const started of [false, true]) {
      let expire = (): void => {};
      let closed: (() => void) | undefined;
      const gone = new Promise<void>((resolve) => {
        closed = resolve;
      });
      await against(
        async (response) => {
          response.on('close', () => closed?.());
          if (started) begin(route, response);
          await tick();
          expire();
        },
        async (models) => {
          // Where the answer has begun, the limit runs out only after its first piece was taken.
          const seen = (): void => void setImmediate(() => expire());
          const error = await failure(models, route, undefined, started ? seen : undefined);
          assert.equal(error.kind, 'timeout');
          assert.match(error.message, /4321 ms/);
          await gone;
        },
        {
          timeoutMs: 4321,
          timer: (run, delayMs) => {
            assert.equal(delayMs, 4321);
            expire = run;
            return () => {
              if (expire === run) expire = () => {};
            };
          },
        },
      );
    }
  });

  test(`${route}: an abort before the answer stops the request`, async () => {
    const controller = new AbortController();
    let closed: (() => void) | undefined;
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    await against(
      (response) => {
        response.on('close', () => closed?.());
        controller.abort(new Error('barge-in'));
      },
      async (models) => {
        assert.equal((await failure(models, route, controller.signal)).kind, 'aborted');
        await gone;
      },
    );
  });

  test(`${route}: an abort in the middle of the answer stops the request`, async () => {
    const controller = new AbortController();
    let closed: (() => void) | undefined;
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    await against(
      async (response) => {
        response.on('close', () => closed?.());
        begin(route, response);
        if (route !== 'stt') return;
        await tick();
        controller.abort();
      },
      async (models) => {
        assert.equal((await failure(models, route, controller.signal, () => controller.abort())).kind, 'aborted');
        await gone;
      },
    );
  });
}

for (const route of ['llm', 'tts'] as const) {
  test(`${route}: a reader that leaves stops the request`, async () => {
    let closed: (() => void) | undefined;
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    await against(
      (response) => {
        response.on('close', () => closed?.());
        begin(route, response);
      },
      async ({ llm, tts }) => {
        const { signal } = new AbortController();
        const stream =
          route === 'llm'
            ? llm.generate({ messages: [{ role: 'user', content: 'x' }], tools: [] }, signal)
            : tts.synthesize({ text: 'x' }, signal);
        for await (const _ of stream) break;
        await gone;
      },
    );
  });
  test(`${route}: a slow reader is not taken for a dead provider`, () => {
    const armed = new Set<() => void>();
    return against(
      (response) => {
        begin(route, response);
        response.end(route === 'llm' ? `${chunk({}, 'stop')}data: [DONE]\n\n` : undefined);
      },
      async (models) => {
        const pieces = await ask(models, route, undefined, () => assert.equal(armed.size, 0));
        assert.ok(pieces.length > 0);
        assert.equal(armed.size, 0, 'a timer was left behind');
      },
      {
        timer: (run) => {
          armed.add(run);
          return () => armed.delete(run);
        },
      },
    );
  });
}

const sse =
  (...parts: string[]): Answer =>
  (response) => {
    response.writeHead(200, type('llm'));
    for (const part of parts) response.write(part);
    response.end();
  };
const llmEvents = async (answer: Answer): Promise<GenerateEvent[]> => {
  let events: GenerateEvent[] = [];
  await against(answer, async (models) => {
    events = (await ask(models, 'llm')) as GenerateEvent[];
  });
  return events;
};

test('llm: a stream without a finish reason is protocol, with or without [DONE]', async () => {
  for (const end of ['', 'data: [DONE]\n\n']) {
    await against(sse(chunk({ content: 'One' }), end), async (models) =>
      assert.equal((await failure(models, 'llm')).kind, 'protocol'),
    );
  }
});
test('llm: finish reasons are mapped', async () => {
  const reasons = {
    stop: 'stop',
    length: 'length',
    content_filter: 'content-filter',
    tool_calls: 'tool-calls',
    function_call: 'tool-calls',
    eos: 'stop',
  };
  for (const [wire, ours] of Object.entries(reasons)) {
    assert.deepEqual((await llmEvents(sse(chunk({}, wire), USAGE))).at(-1), { type: 'finish', reason: ours });
  }
});
test('llm: a reply that is whole survives the loss of its closing mark', async () => {
  let tear = (): void => {};
  const call = { index: 0, id: 'a', type: 'function', function: { name: 'one', arguments: '{}' } };
  await against(
    (response) => {
      response.writeHead(200, type('llm'));
      response.write(chunk({ tool_calls: [call] }) + chunk({}, 'tool_calls'));
      tear = () => void response.destroy();
    },
    async (models) => {
      const events = await ask(models, 'llm', undefined, () => tear());
      assert.deepEqual(events, [
        { type: 'tool-call', call: { id: 'a', name: 'one', arguments: '{}' } },
        { type: 'finish', reason: 'tool-calls' },
      ]);
    },
  );
});
test('llm: an error inside the stream has its kind', async () => {
  const kinds = {
    insufficient_quota: 'quota',
    rate_limit_exceeded: 'rate-limit',
    server_error: 'unavailable',
    invalid_request_error: 'invalid-request',
  };
  for (const [code, kind] of Object.entries(kinds)) {
    const event = `data: ${JSON.stringify({ error: { message: 'x', type: code, code: null } })}\n\n`;
    await against(sse(chunk({ content: 'One' }), event), async (models) =>
      assert.equal((await failure(models, 'llm')).kind, kind),
    );
  }
});
test('llm: pieces of several tool calls are put together, in order, before usage and finish', async () => {
  const piece = (call: object): string => chunk({ tool_calls: [call] });
  const events = await llmEvents(
    sse(
      chunk({ role: 'assistant', content: null }),
      piece({ index: 0, id: 'a', type: 'function', function: { name: 'one', arguments: '' } }),
      piece({ index: 0, function: { arguments: '{"x":' } }),
      piece({ index: 0, function: { arguments: '1}' } }),
      piece({ index: 1, id: 'b', type: 'function', function: { name: 'two', arguments: '' } }),
      chunk({}, 'stop'),
      USAGE,
      'data: [DONE]\n\n',
    ),
  );
  assert.deepEqual(events, [
    { type: 'tool-call', call: { id: 'a', name: 'one', arguments: '{"x":1}' } },
    { type: 'tool-call', call: { id: 'b', name: 'two', arguments: '{}' } },
    { type: 'usage', inputTokens: 7, outputTokens: 2 },
    { type: 'finish', reason: 'tool-calls' },
  ]);
});
test('llm: the request carries what was asked for', async () => {
  let body: Record<string, unknown> = {};
  let headers: http.IncomingHttpHeaders = {};
  const server = await listen(async (request, response) => {
    headers = request.headers;
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    body = JSON.parse(Buffer.concat(parts).toString());
    await sse(chunk({}, 'stop'))(response, request);
  });
  const { llm } = createOpenAiModels({
    apiKey: 'k',
    baseUrl: server.baseUrl,
    headers: { 'x-team': 'a' },
    llm: { model: 'm', temperature: 0.2, maxTokens: 50, extraBody: { reasoning_effort: 'low' }, apiKey: 'other' },
  });
  const tool = { name: 't', description: 'd', parameters: { type: 'object' } };
  const request = {
    messages: [
      { role: 'system' as const, content: 's' },
      { role: 'assistant' as const, content: '', toolCalls: [{ id: 'c', name: 't', arguments: '{}' }] },
      { role: 'tool' as const, toolCallId: 'c', content: 'r' },
    ],
    tools: [tool],
    temperature: 0.9,
  };
  for await (const _ of llm.generate(request, new AbortController().signal));
  await server.close();
  assert.equal(headers.authorization, 'Bearer other');
  assert.equal(headers['x-team'], 'a');
  assert.deepEqual(body, {
    model: 'm',
    messages: [
      { role: 'system', content: 's' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c', type: 'function', function: { name: 't', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'c', content: 'r' },
    ],
    stream: true,
    stream_options: { include_usage: true },
    tools: [{ type: 'function', function: tool }],
    temperature: 0.9,
    max_completion_tokens: 50,
    reasoning_effort: 'low',
  });
});
test('llm: the connection is used again though the body ends after [DONE]', async () => {
  const sockets = new Set<unknown>();
  await against(
    async (response, request) => {
      sockets.add(request.socket);
      response.writeHead(200, type('llm'));
      response.write(`${chunk({}, 'stop')}data: [DONE]\n\n`);
      await tick();
      response.end();
    },
    async (models) => {
      for (let i = 0; i < 6; i++) {
        await ask(models, 'llm');
        for (let turn = 0; turn < 20; turn++) await tick();
      }
    },
  );
  // Without the drain each request would have opened one.
  assert.ok(sockets.size <= 3, `${sockets.size} connections for 6 requests`);
});
test('tts: an odd byte is carried over to the next chunk', async () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
  for (const cut of [1, 3, 499]) {
    await against(
      async (response) => {
        response.writeHead(200, type('tts'));
        response.write(bytes.subarray(0, cut));
        for (let turn = 0; turn < 10; turn++) await tick();
        response.end(bytes.subarray(cut));
      },
      async (models) => {
        const chunks = (await ask(models, 'tts')) as Uint8Array[];
        assert.ok(chunks.every((part) => part.length % 2 === 0 && part.byteOffset % 2 === 0));
        assert.deepEqual(
          chunks.flatMap((part) => [...part]),
          [...bytes],
        );
      },
    );
  }
});
test('tts: an empty body is protocol', () =>
  against(
    (response) => {
      response.writeHead(200, type('tts'));
      response.end();
    },
    async (models) => assert.equal((await failure(models, 'tts')).kind, 'protocol'),
  ));
test('stt: an answer without text is protocol, spaces are trimmed', async () => {
  const json =
    (value: unknown): Answer =>
    (response) => {
      response.writeHead(200, type('stt'));
      response.end(JSON.stringify(value));
    };
  await against(json({ words: [] }), async (models) => assert.equal((await failure(models, 'stt')).kind, 'protocol'));
  await against(json({ text: ' Hello. \n' }), async (models) => assert.deepEqual(await ask(models, 'stt'), ['Hello.']));
});
test('a stage without a key, with a wrong address or time limit is refused at once', () => {
  assert.throws(() => createOpenAiModels({ stt: { apiKey: 'k' } }), /Cannot use openai.llm without an API key/);
  assert.throws(() => createOpenAiModels({ apiKey: 'k', tts: { timeoutMs: 0 } }), RangeError);
  assert.throws(() => createOpenAiModels({ apiKey: 'k', baseUrl: 'localhost:8080' }), /must begin with http/);
  assert.throws(() => createOpenAiModels({ apiKey: 'k', llm: { baseUrl: 'here' } }), /openai.llm/);
});
test('warm opens connections and never throws', async () => {
  const asked: (string | undefined)[] = [];
  const server = await listen((request, response) => {
    asked.push(request.url);
    response.writeHead(500).end();
  });
  const models = createOpenAiModels({ apiKey: 'k', baseUrl: server.baseUrl });
  await models.warm(new AbortController().signal);
  await models.warm(AbortSignal.abort());
  await server.close();
  assert.deepEqual(asked, ['/v1/models', '/v1/models', '/v1/models']);
});
