// Feeds a recording to a new session and writes down what it decides: the same bytes on every host.
import type { Analyzer, AudioCore } from '../audio/core.ts';
import type { Effects } from '../session/effects.ts';
import { createSession, type Session } from '../session/session.ts';
import { type Recording, RecordingError } from './recorder.ts';

export interface ReplayResult {
  /** One JSON line for each effect, in order, and a last one for the audio that was pulled. */
  readonly effects: string;
  readonly session: Session;
}

/** Throws `RecordingError` where an input can not be fed to a session, and where the call heard with the net and `core` does not
 *  (`withNeuralEars`); the analyzer's slot is released in any case. `onFrame` is told what the VAD said of each frame. */
export function replay(recording: Recording, core: AudioCore, onFrame?: (analyzer: Analyzer) => void): ReplayResult {
  const lines: string[] = [];
  const analyzer = core.openAnalyzer(recording.options.inputRateHz);
  if (recording.options.listening.vad === 'neural' && analyzer.vad !== 'neural') {
    analyzer.release();
    throw new RecordingError('The recorded call heard with the neural VAD: it can not be replayed without it');
  }
  if (onFrame !== undefined) {
    const next = analyzer.next.bind(analyzer);
    analyzer.next = () => {
      const found = next();
      if (found) onFrame(analyzer);
      return found;
    };
  }
  const session = createSession(
    recording.options,
    analyzer,
    describeEffects((line) => lines.push(line)),
  );
  const pulled = new Hash();
  let speech = 0;
  let out = new Int16Array(0);
  let at = 0;
  try {
    for (const input of recording.inputs) {
      at++;
      if (input.type === 'audio') session.audio(input.packet, input.position, input.nowMs);
      else if (input.type === 'event') session.event(input.event, input.nowMs);
      else if (input.type === 'wake') session.wake(input.nowMs);
      else {
        if (out.length !== input.samples) out = new Int16Array(input.samples);
        speech += session.pull(out, input.nowMs);
        pulled.add(out);
      }
    }
  } catch (cause) {
    throw new RecordingError(`Recording can not be replayed beyond its input ${at}: ${String(cause)}`, { cause });
  } finally {
    analyzer.release();
  }
  lines.push(JSON.stringify({ effect: 'pulled', speech, hash: pulled.value }));
  return { effects: `${lines.join('\n')}\n`, session };
}

/** Effects as JSON lines; audio as its length and hash. */
export function describeEffects(line: (text: string) => void): Effects {
  const write = (effect: string, values: object = {}) => line(JSON.stringify({ effect, ...values }));
  return {
    transcribe({ pcm, ...request }) {
      const hash = new Hash();
      hash.add(pcm);
      write('transcribe', { ...request, samples: pcm.length, hash: hash.value });
    },
    generate: (request) => write('generate', request),
    synthesize: (request) => write('synthesize', request),
    runTool: (request) => write('run-tool', request),
    cancelTool: (request) => write('cancel-tool', request),
    cancel: (request) => write('cancel', request),
    clearAudio: () => write('clear-audio'),
    audioReady: () => write('audio-ready'),
    wakeAt: (atMs) => write('wake-at', { atMs }),
    emit: (event) => write('emit', { event }),
    end: (reason) => write('end', { reason }),
  };
}

/** FNV-1a over 16-bit samples. */
class Hash {
  #state = 0x811c9dc5;

  add(samples: Int16Array): void {
    let state = this.#state;
    for (let i = 0; i < samples.length; i++) state = Math.imul(state ^ ((samples[i] as number) & 0xffff), 0x01000193);
    this.#state = state;
  }

  get value(): number {
    return this.#state >>> 0;
  }
}
