// POST /v1/audio/transcriptions: the words of known recordings, nothing for anything else.
import type { Exchange } from './app.ts';
import { readWav, type Wav } from './wav.ts';
import { invalid, missing, sse, streamed, tear, WireError } from './wire.ts';

const FORMATS = ['json', 'text', 'verbose_json'];
const MIN_SECONDS = 0.1;

export async function transcribe(exchange: Exchange): Promise<Response> {
  const { request, signal, clock, latency, recognizer, script } = exchange;
  const form = await formOf(request);
  const file = form.get('file');
  if (!file || typeof file === 'string') throw missing('file');
  if (!form.get('model')) throw missing('model');
  const format = String(form.get('response_format') ?? 'json');
  if (!FORMATS.includes(format))
    throw invalid('response_format', `one of ${FORMATS.join(', ')} (others are not simulated)`);
  const wav = await wavOf(file);
  const seconds = wav.samples.length / wav.sampleRateHz;
  if (seconds < MIN_SECONDS) {
    throw new WireError(400, 'Audio file is too short. Minimum audio length is 0.1 seconds.', {
      code: 'audio_too_short',
      param: 'file',
    });
  }
  const { text, found } = recognizer().recognize(wav.samples, wav.sampleRateHz);
  const usage = { type: 'duration', seconds: Math.ceil(seconds) };
  await clock.sleep(exchange.arrivedMs + latency.firstMs - clock.now(), signal);
  if (form.get('stream') === 'true') {
    return streamed('text/event-stream', signal, async (send, gone) => {
      for (const word of text.match(/\s*\S+/g) ?? []) send(sse({ type: 'transcript.text.delta', delta: word }));
      if (exchange.halfClose) await tear(gone);
      send(sse({ type: 'transcript.text.done', text, usage }));
    });
  }
  const answer =
    format === 'verbose_json'
      ? {
          task: 'transcribe',
          language: script.language ?? 'en',
          duration: seconds,
          text,
          segments: found.map(({ startMs, endMs }, id) => ({ id, start: startMs / 1000, end: endMs / 1000 })),
          usage,
        }
      : { text, usage };
  const body = format === 'text' ? `${text}\n` : JSON.stringify(answer);
  const type = format === 'text' ? 'text/plain; charset=utf-8' : 'application/json';
  if (!exchange.halfClose) return new Response(body, { headers: { 'content-type': type } });
  return streamed(type, signal, async (send, gone) => {
    send(new TextEncoder().encode(body.slice(0, body.length / 2)));
    await tear(gone);
  });
}

async function formOf(request: Request): Promise<FormData> {
  if (!request.headers.get('content-type')?.startsWith('multipart/form-data')) {
    throw new WireError(400, 'Send the audio as multipart/form-data.', { code: 'invalid_content_type' });
  }
  try {
    return (await request.formData()) as unknown as FormData;
  } catch {
    throw new WireError(400, 'The multipart/form-data can not be read: check its boundary and that it is complete.');
  }
}

async function wavOf(file: Blob): Promise<Wav> {
  try {
    return readWav(new Uint8Array(await file.arrayBuffer()));
  } catch (error) {
    throw new WireError(400, `Invalid file format. ${(error as Error).message}`, {
      code: 'invalid_file',
      param: 'file',
    });
  }
}
