// What the listener makes of a VAD on the evaluation set: turns, ended by 500 ms of silence, against the labels.
import { type AudioCore, createAudioCore } from '../../src/audio/index.ts';
import { createNeuralVad, withNeuralEars } from '../../src/audio/neural/index.ts';
import { SpeechDetector } from '../../src/session/listen/speech-detector.ts';
import { DEFAULT_SESSION_OPTIONS } from '../../src/session/options.ts';
import { modules, set, type Track } from './set.ts';

const FRAME_MS = 20;
const FRAME_SAMPLES = 320;
const ENDPOINTING_MS = 500;
/** Segments that are nearer to each other are one turn, whatever the detector. */
const SAME_TURN_MS = 700;

export interface Heard {
  readonly turns: number;
  readonly missed: number;
  /** Turns in which nobody spoke. */
  readonly falseStarts: number;
  /** Median and 90th percentile (by distance) of what was heard less what is labelled, in ms. */
  readonly startOffMs: readonly [number, number];
  readonly endOffMs: readonly [number, number];
  /** When a start is known, less what is labelled: median and 90th percentile. */
  readonly decidedMs: readonly [number, number];
}
interface Turn {
  readonly startMs: number;
  readonly endMs: number;
  readonly decidedMs?: number;
}

const plain = createAudioCore({ maxSlots: 1 });
const cores: Readonly<Record<'neural' | 'energy', AudioCore>> = {
  energy: plain,
  neural: withNeuralEars(plain, createNeuralVad({ maxSlots: 1 })),
};

export function hear(vad: 'neural' | 'energy', group: 'clean' | '20 dB' | '10 dB' | 'tones'): Heard {
  const names = modules
    .listConditions(set)
    .filter(({ name }) =>
      group === 'clean' ? name === 'clean' : group === 'tones' ? name === 'only_tones' : isNoisy(name, group),
    );
  const starts: number[] = [];
  const ends: number[] = [];
  const decided: number[] = [];
  let turns = 0;
  let missed = 0;
  let falseStarts = 0;
  for (const condition of names) {
    for (const track of modules.buildTracks(set, condition)) {
      const heard = turnsOf(track, vad);
      const spoken = spokenTurns(track);
      turns += spoken.length;
      falseStarts += heard.filter((turn) => !spoken.some((other) => meet(turn, other))).length;
      for (const turn of spoken) {
        const mine = heard.filter((other) => meet(turn, other));
        if (mine.length === 0) {
          missed++;
          continue;
        }
        starts.push(mine[0]!.startMs - turn.startMs);
        ends.push(mine.at(-1)!.endMs - turn.endMs);
        decided.push(mine[0]!.decidedMs! - turn.startMs);
      }
    }
  }
  return {
    turns,
    missed,
    falseStarts,
    startOffMs: middleAndFar(starts),
    endOffMs: middleAndFar(ends),
    decidedMs: middleAndFar(decided),
  };
}

function isNoisy(name: string, group: string): boolean {
  return !/^(telephone|quiet|white)/.test(name) && name.endsWith(`_${Number.parseInt(group, 10)}`);
}

function meet(a: Turn, b: Turn): boolean {
  return a.startMs < b.endMs + 100 && a.endMs > b.startMs - 100;
}

function spokenTurns({ segments }: Track): Turn[] {
  const turns: { startMs: number; endMs: number }[] = [];
  for (const [start, end] of segments) {
    const last = turns.at(-1);
    if (last !== undefined && start * 10 - last.endMs < SAME_TURN_MS) last.endMs = end * 10;
    else turns.push({ startMs: start * 10, endMs: end * 10 });
  }
  return turns;
}

function turnsOf({ pcm }: Track, vad: 'neural' | 'energy'): Turn[] {
  const analyzer = cores[vad].openAnalyzer(16_000);
  const detector = new SpeechDetector({ ...DEFAULT_SESSION_OPTIONS.listening, vad });
  const turns: Turn[] = [];
  let startMs = -1;
  let decidedMs = 0;
  let nowMs = 0;
  for (let at = 0; at + FRAME_SAMPLES <= pcm.length; at += FRAME_SAMPLES) {
    analyzer.write(new Uint8Array(pcm.buffer, pcm.byteOffset + at * 2, FRAME_SAMPLES * 2));
    while (analyzer.next()) {
      const change = detector.frame(analyzer, nowMs);
      nowMs += FRAME_MS;
      if (change === 'start' && startMs < 0) {
        startMs = detector.onsetMs;
        decidedMs = nowMs;
      }
      const over = !detector.candidate && nowMs >= detector.lastVoicedMs + ENDPOINTING_MS;
      if (startMs < 0 || !over) continue;
      turns.push({ startMs, endMs: detector.lastVoicedMs, decidedMs });
      startMs = -1;
    }
  }
  if (startMs >= 0) turns.push({ startMs, endMs: detector.lastVoicedMs, decidedMs });
  analyzer.release();
  return turns;
}

function middleAndFar(values: number[]): [number, number] {
  if (values.length === 0) return [0, 0];
  const byDistance = values.toSorted((a, b) => Math.abs(a) - Math.abs(b));
  const sorted = values.toSorted((a, b) => a - b);
  return [sorted[sorted.length >> 1]!, byDistance[Math.min(values.length - 1, Math.floor(values.length * 0.9))]!];
}
