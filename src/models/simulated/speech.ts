// POST /v1/audio/speech: the simulated voice as raw PCM16 or WAV, streamed at a multiple of real time.
import * as v from 'valibot';
import { wavHeader } from '../../audio/wav.ts';
import type { Exchange } from './app.ts';
import { parseBody } from './request-body.ts';
import { invalid, missing, streamed, tear } from './wire.ts';

const SpeechRequest = v.looseObject({
  model: v.string(),
  input: v.pipe(v.string(), v.maxLength(4096)),
  voice: v.union([v.string(), v.looseObject({})]),
  response_format: v.nullish(v.string()),
});
const PIECE_MS = 100;
/** For a text in which nothing can be spoken. */
const SILENCE_MS = 100;

export async function speech(exchange: Exchange): Promise<Response> {
  const { signal, clock, latency, voice } = exchange;
  const ask = await parseBody(exchange.request, SpeechRequest);
  if (ask.input.trim() === '') throw missing('input');
  const format = ask.response_format ?? 'mp3';
  if (format !== 'pcm' && format !== 'wav') throw invalid('response_format', 'pcm or wav (others are not simulated)');
  const spoken = voice.speak(ask.input);
  const pcm = spoken.length > 0 ? spoken : new Int16Array((SILENCE_MS * voice.sampleRateHz) / 1000);
  const bytes = new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength);
  const pieceBytes = latency.speed === 0 ? bytes.length : (voice.sampleRateHz * 2 * PIECE_MS) / 1000;
  const first = exchange.arrivedMs + latency.firstMs;
  await clock.sleep(first - clock.now(), signal);
  return streamed(format === 'wav' ? 'audio/wav' : 'audio/pcm', signal, async (send, gone) => {
    if (format === 'wav') send(wavHeader(voice.sampleRateHz, 1));
    if (exchange.halfClose) {
      send(bytes.slice(0, Math.min(bytes.length, pieceBytes) >> 1));
      await tear(gone);
    }
    for (let at = 0, piece = 0; at < bytes.length; at += pieceBytes, piece++) {
      if (piece > 0) await clock.sleep(first + (piece * PIECE_MS) / latency.speed - clock.now(), gone);
      if (gone.aborted) return;
      send(bytes.slice(at, at + pieceBytes));
    }
  });
}
