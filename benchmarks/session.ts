// The session core: time and garbage of a frame while nobody, the caller or the agent speaks, beside the analyzer alone.
// Bun, Deno or Node: `node --expose-gc --max-semi-space-size=64 benchmarks/session.ts [--json FILE]` counts the garbage best.
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { callerLoop } from './conversation.ts';
import { describeMachine } from './machine.ts';
import { LISTEN_FRAMES, SessionRig, VOICED } from './session-rig.ts';
import { round, type Spread, spread } from './statistics.ts';

const BATCH = LISTEN_FRAMES;
const BATCHES = 200;
const RUNS = 5;

export interface SessionFigure {
  readonly what: string;
  readonly nsPerFrame: Spread;
  /** Median of batches of 100 frames; null where the runtime does not tell its heap exactly. */
  readonly bytesPerFrame: number | null;
}

interface Case {
  readonly what: string;
  readonly frame: () => void;
  /** Between batches, not measured. */
  readonly between: () => void;
}

export function measureSession(): SessionFigure[] {
  return cases().map(({ what, frame, between }) => {
    const ns: number[] = [];
    const bytes: number[] = [];
    for (let run = 0; run < RUNS + 1; run++) {
      let ms = 0;
      for (let batch = 0; batch < BATCHES; batch++) {
        between();
        const heap = heapBytes();
        const from = performance.now();
        for (let i = 0; i < BATCH; i++) frame();
        ms += performance.now() - from;
        const now = heapBytes();
        if (heap !== null && now !== null && now >= heap) bytes.push((now - heap) / BATCH);
      }
      // The first run warms up.
      if (run > 0) ns.push((ms * 1e6) / (BATCH * BATCHES));
    }
    const own = heapOverheadBytes() / BATCH;
    const measured = bytes.slice(BATCHES);
    return {
      what,
      nsPerFrame: spread(ns.map((value) => round(value, 0))),
      bytesPerFrame: measured.length === 0 ? null : round(Math.max(0, spread(measured).median - own)),
    };
  });
}

function cases(): Case[] {
  const nothing = () => {};
  const control = new SessionRig();
  const voiced = VOICED[0] as Uint8Array;
  const quiet = callerLoop(4000).packets[0] as Uint8Array;
  const idle = new SessionRig();
  let caller = new SessionRig();
  let spoken = 0;
  const agent = new SessionRig();
  agent.letAgentSpeak();
  const pulling = new SessionRig();
  pulling.letAgentSpeak();
  const analyze = (packet: Uint8Array) => () => {
    control.analyzer.write(packet);
    control.analyzer.next();
  };
  let kept: object = {};
  return [
    // Optimizers must not find out that nobody reads it.
    {
      what: 'meter: one object of three numbers',
      frame: () => (kept = { a: kept === null, b: 1, c: 2 }),
      between: nothing,
    },
    { what: 'control: analyzer alone, silence', frame: analyze(quiet), between: nothing },
    { what: 'control: analyzer alone, speech', frame: analyze(voiced), between: nothing },
    { what: 'idle', frame: () => idle.idle(), between: nothing },
    {
      what: 'caller speaks',
      frame: () => caller.speak(),
      // A turn ends after 60 s: another begins before.
      between() {
        if ((spoken += BATCH) % 2000 !== 0) return;
        caller = new SessionRig();
        for (let i = 0; i < 200; i++) caller.speak();
      },
    },
    { what: 'agent speaks (frame and pull)', frame: () => agent.listen(), between: () => agent.refill() },
    { what: 'pull alone', frame: () => void pulling.pull(), between: () => pulling.refill() },
  ];
}

/** V8 counts every object; JavaScriptCore counts when it collects, which says nothing about 100 frames. */
function heapBytes(): number | null {
  return 'bun' in process.versions ? null : process.memoryUsage().heapUsed;
}

/** What asking twice costs by itself. */
function heapOverheadBytes(): number {
  const deltas = Array.from({ length: 50 }, () => {
    const before = heapBytes() ?? 0;
    return (heapBytes() ?? 0) - before;
  });
  return spread(deltas).median;
}

if (import.meta.main || process.argv[1]?.endsWith('benchmarks/session.ts')) {
  const { values } = parseArgs({ options: { json: { type: 'string' } } });
  const figures = measureSession();
  for (const { what, nsPerFrame: ns, bytesPerFrame } of figures) {
    const garbage = bytesPerFrame === null ? 'not told by this runtime' : `${bytesPerFrame} B`;
    console.log(`${what.padEnd(36)} ${ns.median} ns a frame (${ns.min} to ${ns.max}), garbage ${garbage}`);
  }
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify({ machine: describeMachine(), figures }, null, 2)}\n`);
}
