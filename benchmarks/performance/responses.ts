// Responses with simulated models that take as long as the specification's components: how they are spread, and what is ours of it.
import { callerLoop } from '../conversation.ts';
import { createOpenAiLlm } from '../../src/models/openai/index.ts';
import { createSimulatedOpenAi } from '../../src/models/simulated/index.ts';
import type { LedgerTurn } from '../../src/session/ledger.ts';
import { percentile } from '../statistics.ts';
import { benchmarkRuntime, openCall, pace } from './calls.ts';
import type { Findings, Measurement } from './report.ts';

const CALL_MS = 7000;
const LAST_ANSWER_MS = 4000;

export async function measureResponses(calls: number, rounds: number): Promise<Findings> {
  const runtime = benchmarkRuntime({ simulated: { profile: 'specification' } });
  const turns: LedgerTurn[] = [];
  const open = Array.from({ length: calls }, () => openCall(runtime, { onTurn: (turn) => turns.push(turn) }));
  const inputs = open.map(({ input }) => input);
  const { packets } = callerLoop(CALL_MS);
  await pace(inputs, packets, (rounds * CALL_MS + LAST_ANSWER_MS) / 1000);
  await runtime.closeAll('measured');
  const answered = turns.filter(({ responseMs }) => responseMs !== null);
  const responses = answered.map(({ responseMs }) => responseMs as number);
  const own = answered.flatMap(({ overheadMs }) => (overheadMs === null ? [] : [overheadMs]));
  const stage = (name: string) =>
    answered.flatMap(({ stages }) => {
      const found = stages.filter((s) => s.name === name);
      return found.length === 0 ? [] : [found.reduce((sum, s) => sum + s.endMs - s.startMs, 0)];
    });
  if (responses.length === 0) throw new Error('No turn was answered');
  const about = `${responses.length} turns of ${calls} calls at a time, profile "specification" of the simulated models`;
  const shown = (id: string, value: number, what: string): Measurement => ({
    id,
    value,
    method: `${what}; ${about}`,
    simulated: true,
  });
  const response = (id: string, q: number) =>
    shown(id, percentile(responses, q), 'last voiced to first audible sample, endpointing of 500 ms included');
  const stages = (
    [
      ['LAT-12', 'stt'],
      ['LAT-13', 'llm'],
      ['LAT-14', 'tts'],
    ] as const
  ).flatMap(([id, name]) => {
    const took = stage(name);
    return took.length === 0
      ? []
      : [shown(id, percentile(took, 0.95), `p95 of what the ledger books for ${name} after the end of the turn`)];
  });
  return {
    measurements: [
      {
        id: 'LAT-08',
        value: percentile(own, 0.95),
        method: `ledger: response less providers and endpointing; ${about}`,
      },
      { id: 'LAT-09', value: Math.max(...own), method: `as LAT-08, largest of ${own.length}` },
      {
        id: 'LAT-10',
        value: percentile(responses, 0.5),
        method: `ledger, on the sample clock; median; ${about}`,
        simulated: true,
      },
      response('LAT-16', 0.5),
      response('LAT-17', 0.9),
      response('LAT-18', 0.95),
      response('LAT-19', 0.99),
      ...stages,
    ],
    remarks: [],
  };
}

/** Bytes of a chat request, as the adapter writes it: ten messages and a tool. */
export async function measureRequestBytes(): Promise<Measurement> {
  const simulated = createSimulatedOpenAi({ profile: 'instant' });
  let bytes = 0;
  const fetch: typeof globalThis.fetch = Object.assign(
    async (input: RequestInfo | URL, init?: RequestInit) => {
      const request = new Request(input, init);
      bytes = (await request.clone().arrayBuffer()).byteLength;
      return await simulated.fetch(request);
    },
    { preconnect() {} },
  );
  const llm = createOpenAiLlm({
    apiKey: 'simulated',
    baseUrl: 'http://simulated.invalid/v1',
    fetch,
    model: 'gpt-4o-mini',
  });
  const turn = [
    { role: 'user', content: 'Weasels have eaten our phone system.' },
    { role: 'assistant', content: 'Oh dear, weasels again. Please stay calm and count the weasels.' },
  ] as const;
  const messages = [
    { role: 'system', content: 'Answer briefly.' } as const,
    ...Array.from({ length: 5 }, () => turn).flat(),
  ];
  const parameters = { type: 'object', properties: { city: { type: 'string' } } };
  const tools = [{ name: 'weather', description: 'Tells the weather of a city.', parameters }];
  for await (const _ of llm.generate({ messages, tools }, new AbortController().signal));
  if (bytes === 0) throw new Error('No request was seen');
  return {
    id: 'RES-11',
    value: bytes / 1000,
    method: 'body of a chat request with 11 messages and a tool (audio uploads are larger: 32 kB a second)',
  };
}
