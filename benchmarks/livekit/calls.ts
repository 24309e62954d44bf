// A few calls through each worker: voice to voice at the caller's ear, memory and processor time of all its processes, time in the room.
import { AgentDispatchClient } from 'livekit-server-sdk';
import { KEY, SECRET, startRealServer } from '../../test/livekit/room/real-server.ts';
import { callerLoop, RATE_HZ } from '../conversation.ts';
import { percentile, round } from '../statistics.ts';
import { wavHeader } from '../../src/audio/wav.ts';
import type { HeardTurn } from './ear.ts';
import type { Gates } from './gates.ts';
import { startScript, wait } from './process.ts';
import { cpuMs, family, pssMb } from './system.ts';
import { type Models, startModels, startWorker, type WorkerKind } from './workers.ts';

export interface CallFigures {
  readonly kind: WorkerKind;
  readonly calls: number;
  /** Proportional memory of all processes: before the calls, and at their end. */
  readonly idleMb: number;
  readonly callsMb: number;
  readonly processes: number;
  /** Of one core, all processes and calls, while turns are taken. */
  readonly cpuPercent: number;
  /** Until the agent of each call was in its room; the calls came at once. */
  readonly joinedMs: readonly number[];
  /** One for each turn of each call. */
  readonly voiceToVoiceMs: readonly number[];
  /** Turns in which nothing came back. */
  readonly unanswered: number;
}

export interface CallOptions {
  readonly host: string;
  readonly kinds: readonly WorkerKind[];
  readonly calls: number;
  readonly turns: number;
}

/** What the session waits for besides its own work. Both as configured, the providers as a neutral client sees them. */
export interface Waits {
  readonly endpointingMs: number;
  readonly providersMs: number;
}
/** The default of `turns.endpointing_ms`, and what the rival is set to. */
const ENDPOINTING_MS = 500;

const JOIN_LIMIT_MS = 20_000;

export async function measureCalls(options: CallOptions): Promise<{ waits: Waits; figures: CallFigures[] }> {
  const models = await startModels();
  try {
    const waits = { endpointingMs: ENDPOINTING_MS, providersMs: round(await timeProviders(models), 0) };
    const figures: CallFigures[] = [];
    for (const kind of options.kinds) figures.push(await hold(kind, models, options));
    return { waits, figures };
  } finally {
    await models.end();
  }
}

async function hold(kind: WorkerKind, models: Models, { host, calls, turns }: CallOptions): Promise<CallFigures> {
  const server = await startRealServer();
  const worker = await startWorker(kind, server, models, host);
  const ear = await startScript('node', 'ear.ts');
  const memory = () => family(worker.pid).reduce((sum, pid) => sum + pssMb(pid), 0);
  const cpu = () => family(worker.pid).reduce((sum, pid) => sum + cpuMs(pid), 0);
  try {
    const idleMb = memory();
    const rooms = Array.from({ length: calls }, (_, i) => `call-${i}`);
    for (const room of rooms) await ear.ask({ do: 'join', url: server.url, token: await server.token('caller', room) });
    const dispatches = new AgentDispatchClient(server.http, KEY, SECRET);
    const fromMs = performance.now();
    await Promise.all(rooms.map((room) => dispatches.createDispatch(room, worker.agentName)));
    const joinedMs: number[] = [];
    await Promise.all(
      rooms.map(async (room) => {
        while ((await server.rooms.listParticipants(room)).length < 2) {
          if (performance.now() - fromMs > JOIN_LIMIT_MS) throw new Error(`${kind}: no agent came to ${room}`);
          await wait(20);
        }
        joinedMs.push(performance.now() - fromMs);
      }),
    );
    await wait(3000);
    // The first turn warms models and code.
    await ear.ask({ do: 'turn' });
    const [cpuBefore, atMs] = [cpu(), performance.now()];
    const heard: HeardTurn[] = [];
    for (let turn = 0; turn < turns; turn++)
      heard.push(...(await ear.ask<{ rooms: HeardTurn[] }>({ do: 'turn' })).rooms);
    const cpuPercent = ((cpu() - cpuBefore) / (performance.now() - atMs)) * 100;
    const times = heard.map((one) => (kind === 'bare' ? one.fromOnsetMs : one.fromEndMs));
    return {
      kind,
      calls,
      idleMb: round(idleMb, 1),
      callsMb: round(memory(), 1),
      processes: family(worker.pid).length,
      cpuPercent: round(cpuPercent, 1),
      joinedMs: joinedMs.map((ms) => round(ms, 0)),
      voiceToVoiceMs: times.filter((ms) => ms !== null).map((ms) => round(ms, 0)),
      unanswered: times.filter((ms) => ms === null).length,
    };
  } finally {
    await ear.end();
    await worker.end();
    await server.stop();
  }
}

/** Transcript, first token, first audible sample of the voice, one after the other, as a plain client sees them; median. */
async function timeProviders({ url }: Models): Promise<number> {
  const headers = { authorization: 'Bearer simulated' };
  const speech = Buffer.concat(callerLoop(3200).packets.map((packet) => Buffer.from(packet)));
  const wav = Buffer.concat([wavHeader(RATE_HZ, 1), speech]);
  const took: number[] = [];
  for (let i = 0; i < 6; i++) {
    const fromMs = performance.now();
    const form = new FormData();
    form.set('model', 'gpt-4o-mini-transcribe');
    form.set('file', new File([wav], 'speech.wav'));
    const { text } = await (await fetch(`${url}/audio/transcriptions`, { method: 'POST', headers, body: form })).json();
    const post = (path: string, body: object) =>
      fetch(`${url}/${path}`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const chat = await post('chat/completions', {
      ...{ model: 'gpt-4o-mini', stream: true, messages: [{ role: 'user', content: text }] },
    });
    await chat.text();
    const voice = await post('audio/speech', {
      ...{ model: 'gpt-4o-mini-tts', voice: 'alloy', input: 'Oh dear, weasels again.', response_format: 'pcm' },
    });
    const reader = voice.body?.getReader();
    const first = (await reader?.read())?.value ?? new Uint8Array(0);
    // The first run warms the recognizer.
    if (i > 0) took.push(performance.now() - fromMs + quietMs(first));
    await reader?.cancel();
  }
  return percentile(took, 0.5);
}

/** Silence that the voice begins with. */
function quietMs(pcm: Uint8Array): number {
  const samples = new Int16Array(pcm.slice(0, pcm.length & ~1).buffer);
  return (
    (Math.max(
      0,
      samples.findIndex((sample) => Math.abs(sample) > 400),
    ) *
      1000) /
    24_000
  );
}

export function reportCalls(
  gates: Gates,
  { waits, figures }: Awaited<ReturnType<typeof measureCalls>>,
  { host }: CallOptions,
): void {
  console.log(
    `endpointing ${waits.endpointingMs} ms; providers, as a plain client sees them: ${waits.providersMs} ms. Voice to voice of the control: onset to onset of its echo.\n` +
      'worker     calls  processes  idle MB  in calls MB  MB a call   CPU % (a call)   in the room, ms          voice to voice p50 / p90 / max, turns',
  );
  const p = (values: readonly number[], q: number) => (values.length === 0 ? Number.NaN : percentile(values, q));
  for (const f of figures) {
    const v = f.voiceToVoiceMs;
    console.log(
      `${f.kind.padEnd(10)} ${String(f.calls).padStart(5)} ${String(f.processes).padStart(10)} ${f.idleMb.toFixed(0).padStart(8)} ${f.callsMb.toFixed(0).padStart(12)} ${((f.callsMb - f.idleMb) / f.calls).toFixed(1).padStart(10)} ` +
        `${`${f.cpuPercent.toFixed(1)} (${(f.cpuPercent / f.calls).toFixed(1)})`.padStart(16)}   ${f.joinedMs.join(' ').padEnd(22)}   ${[p(v, 0.5), p(v, 0.9), p(v, 1)].map((ms) => ms.toFixed(0)).join(' / ')} ms, ${v.length}${f.unanswered === 0 ? '' : `, ${f.unanswered} unanswered`}`,
    );
  }
  const p50 = (kind: WorkerKind) => p(figures.find((f) => f.kind === kind)?.voiceToVoiceMs ?? [], 0.5);
  const rest = (kind: WorkerKind) => p50(kind) - waits.endpointingMs - waits.providersMs - p50('bare');
  for (const kind of ['session', 'strict'] as const)
    if (!Number.isNaN(p50('bare')) && figures.some((f) => f.kind === kind))
      gates.atMost(`${host}: voice to voice of ${kind} over control, endpointing, providers`, rest(kind), 40, 'ms');
  const rival = figures.find((f) => f.kind === 'agents-js');
  const ours = figures.find((f) => f.kind === 'session');
  if (rival === undefined || ours === undefined) return;
  gates.atMost(`${host}: memory in calls beside agents-js`, ours.callsMb / rival.callsMb, 1, 'x');
  gates.atMost(`${host}: processor time beside agents-js`, ours.cpuPercent / rival.cpuPercent, 1, 'x');
  gates.atMost(`${host}: voice to voice beside agents-js`, p50('session') / p50('agents-js'), 1, 'x');
  gates.atMost(
    `${host}: last one in its room beside agents-js`,
    Math.max(...ours.joinedMs) / Math.max(...rival.joinedMs),
    1,
    'x',
  );
}
