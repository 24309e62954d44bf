// A session behind a network that loses, delays and reorders packets: same decisions as on an ordered line, quality told, nothing hangs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAudioCore } from '../../src/audio/index.ts';
import { describeEffects } from '../../src/runner/replay.ts';
import { DEFAULT_SESSION_OPTIONS } from '../../src/session/options.ts';
import { createSession } from '../../src/session/session.ts';
import { parseNetwork, SimulatedNetwork } from '../../src/transports/file/network.ts';
import { speechLike } from '../audio/signals.ts';

const SPEECH = speechLike({ seconds: 13, seed: 3, noiseDb: -60 });
const PACKET = 320;

interface Effect {
  readonly effect: string;
  readonly event?: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}

/** Runs the speech through a network into a session, on a clock of its own. */
function call(network: string | null) {
  const effects: Effect[] = [];
  let wakeMs = Infinity;
  const core = createAudioCore({ maxSlots: 1 });
  const options = {
    ...DEFAULT_SESSION_OPTIONS,
    id: 'a',
    agent: 'b',
    transport: 'file',
    inputRateHz: 16_000,
    outputRateHz: 16_000,
    lossy: network !== null,
    listening: { ...DEFAULT_SESSION_OPTIONS.listening, vad: 'energy' },
  } as const;
  const session = createSession(options, core.openAnalyzer(16_000), {
    ...describeEffects((line) => effects.push(JSON.parse(line))),
    wakeAt(atMs) {
      wakeMs = atMs;
    },
  });
  const line = network === null ? null : new SimulatedNetwork(parseNetwork(network));
  const packets: { readonly atMs: number; readonly position: number }[] = [];
  for (let position = 0; position + PACKET <= SPEECH.length; position += PACKET)
    for (const delay of line?.next(20) ?? [0])
      packets.push({ atMs: 1000 + (position + PACKET) / 16 + delay, position });
  packets.sort((a, b) => a.atMs - b.atMs);
  const wakeUntil = (ms: number) => {
    while (wakeMs <= ms) {
      const at = wakeMs;
      wakeMs = Infinity;
      session.wake(at);
    }
  };
  for (const { atMs, position } of packets) {
    wakeUntil(atMs);
    session.audio(new Uint8Array(SPEECH.buffer, position * 2, PACKET * 2), position, atMs);
  }
  wakeUntil(60_000);
  const found = (type: string) =>
    effects.flatMap(({ effect, event }) => (effect === 'emit' && event?.['type'] === type ? [event] : []));
  return { effects, found, session };
}

const ordered = call(null);

test('delays, overtaking and doubles change no sample and no decision', () => {
  const { found, effects, session } = call('jitter=15,reorder=5,duplicate=3');
  for (const type of ['speech-start', 'speech-stop']) assert.deepEqual(found(type), ordered.found(type));
  const takes = (list: readonly Effect[]) =>
    list.filter(({ effect }) => effect === 'transcribe').map(({ hash }) => hash);
  assert.ok(takes(effects).length > 0);
  assert.deepEqual(takes(effects), takes(ordered.effects));
  assert.equal(session.framesIn, ordered.session.framesIn);
});

test('waiting for packets is not being late', () => {
  assert.equal(call('jitter=50').session.framesLate, 0);
});

test('losses leave the frames on their places', () => {
  const { found, session } = call('loss=8,jitter=40,seed=4');
  const starts = (events: readonly Readonly<Record<string, unknown>>[]) => events.map(({ atMs }) => atMs as number);
  const [theirs, ours] = [starts(ordered.found('speech-start')), starts(found('speech-start'))];
  for (const start of theirs)
    assert.ok(
      ours.some((other) => Math.abs(other - start) <= 60),
      `${start}: ${ours}`,
    );
  assert.ok(Math.abs(session.framesIn - ordered.session.framesIn) <= 2);
});

test('each window is told, with the connection where there is a network', () => {
  const [plain, lossy] = [ordered.found('quality'), call('loss=8,jitter=40,seed=4').found('quality')];
  assert.ok(plain.length >= 2);
  assert.equal(plain[0]?.['connection'], null);
  assert.equal(plain[0]?.['degraded'], false);
  assert.ok((plain[0]?.['score'] as number) > 3.5);
  const connection = lossy[0]?.['connection'] as Record<string, number>;
  assert.ok(connection['lossPercent']! > 2 && connection['lossPercent']! < 16, JSON.stringify(connection));
  assert.ok(connection['jitterMs']! > 5 && connection['score']! > 2.5 && connection['score']! < 4.3);
});

test('the ledger and the summary hold what the windows add up to', () => {
  const { session } = ordered;
  const { score, lowest, windows, degradedWindows } = session.quality;
  assert.equal(windows, ordered.found('quality').length);
  assert.ok(score !== null && lowest !== null && lowest <= score && degradedWindows === 0);
  assert.equal(session.ledger(() => '').audio.quality, score);
});
