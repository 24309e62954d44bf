// Every line of the specification's baselines, with the reading that requirements and contradictions were settled on.

export interface Bound {
  /** `most`: the value may not be above; `least`: not below. */
  readonly kind: 'most' | 'least';
  readonly value: number;
}
export interface Baseline {
  readonly id: string;
  readonly what: string;
  /** The specification's words, shortened. */
  readonly target: string;
  /** What decides; null where the line only says how to measure. */
  readonly bound: Bound | null;
  readonly unit: string;
  /** Why this program can not answer for it: others have to. */
  readonly external?: string;
  /** Why nothing here measures it. Used where no measurement came. */
  readonly unmeasured?: string;
}

const most = (value: number): Bound => ({ kind: 'most', value });
const least = (value: number): Bound => ({ kind: 'least', value });
const line = (
  id: string,
  what: string,
  target: string,
  bound: Bound | null,
  unit: string,
  more: Pick<Baseline, 'external' | 'unmeasured'> = {},
): Baseline => ({ id, what, target, bound, unit, ...more });

const provider = { external: "the provider's time" };
const network = { external: 'the network between caller and LiveKit' };
const later = (unmeasured: string) => ({ unmeasured });
const RAW = later('holds for encoded media (C-05); this program sends raw PCM16');

export const BASELINES: readonly Baseline[] = [
  line('LAT-01', 'audio processing per chunk, p95', '< 50 ms', most(50), 'ms'),
  line('LAT-02', 'audio processing per chunk, worst', '< 100 ms (critical)', most(100), 'ms'),
  line('LAT-03', 'audio processing: from input to processed output', 'this way of measuring', null, 'ms'),
  line('LAT-04', 'PCM16 processing of a 100 ms chunk', '5-15 ms', most(15), 'ms'),
  line('LAT-05', 'VAD of a 100 ms chunk', '2-8 ms', most(8), 'ms'),
  line('LAT-06', 'buffer management of a 100 ms chunk', '1-3 ms', most(3), 'ms'),
  line('LAT-07', 'format conversion of a 100 ms chunk', '< 1 ms', most(1), 'ms'),
  line('LAT-08', 'own part of the response (C-01 b), p95', '< 100 ms', most(100), 'ms'),
  line('LAT-09', 'own part of the response, worst', '< 200 ms (critical)', most(200), 'ms'),
  line('LAT-10', "from the caller's audio to the agent's", 'this way of measuring', null, 'ms'),
  line('LAT-11', 'audio input', '5 ms', most(5), 'ms'),
  line('LAT-12', 'STT', '50-150 ms', most(150), 'ms', provider),
  line('LAT-13', 'LLM', '200-800 ms', most(800), 'ms', provider),
  line('LAT-14', 'TTS', '50-200 ms', most(200), 'ms', provider),
  line('LAT-15', 'audio output', '5 ms', most(5), 'ms'),
  line('LAT-16', 'response, P50', '350 ms', most(350), 'ms', provider),
  line('LAT-17', 'response, P90', '800 ms', most(800), 'ms', provider),
  line('LAT-18', 'response, P95', '1200 ms', most(1200), 'ms', provider),
  line('LAT-19', 'response, P99', '2000 ms', most(2000), 'ms', provider),
  line('LAT-20', 'LiveKit WebRTC transmission', '< 100 ms', most(100), 'ms', network),
  line('LAT-21', 'WebRTC round trip including processing', 'this way of measuring', null, 'ms', network),
  line('LAT-22', 'local network', '10-30 ms', most(30), 'ms', network),
  line('LAT-23', 'regional CDN', '50-80 ms', most(80), 'ms', network),
  line('LAT-24', 'global', '100-150 ms', most(150), 'ms', network),
  line('LAT-25', 'Whisper STT', '50-300 ms', most(300), 'ms', provider),
  line('LAT-26', 'GPT-4 LLM', '200-1500 ms', most(1500), 'ms', provider),
  line('LAT-27', 'TTS, any text and voice', '50-500 ms', most(500), 'ms', provider),
  line('LAT-28', 'Realtime API', '50-200 ms', most(200), 'ms', provider),

  line('THR-01', 'concurrent sessions per worker', '100+', least(100), 'sessions'),
  line('THR-02', 'own part of the response at 100 sessions, p95', '< 200 ms', most(200), 'ms'),
  line('THR-03', 'sessions at which more workers are asked for', '75', null, 'sessions', {
    unmeasured: 'a rule, not a speed: `scale_up` of /status, held by a test',
  }),
  line('THR-04', 'memory per session', '2-5 MB, 10 MB peak', most(5), 'MB'),
  line('THR-05', 'CPU per session, of one core (C-06)', '1-3 %', most(3), '%'),
  line('THR-06', 'network per active session', '50-200 kb/s', most(200), 'kbit/s', RAW),
  line('THR-07', 'agent creation', '100+/s', least(100), '/s'),
  line('THR-08', 'tool registration', '1000+/s', least(1000), '/s'),
  line('THR-09', 'session initialization', '50+/s', least(50), '/s'),
  line('THR-10', 'messages per session', '10+/s', least(10), '/s'),

  line('RES-01', 'idle memory of the program', '50-100 MB', most(100), 'MB'),
  line('RES-02', 'memory per session at 100, peak', '2-5 MB, 10 MB peak', most(10), 'MB'),
  line('RES-03', 'largest audio buffer of a session', '1-2 MB per buffer', most(2), 'MB', {
    unmeasured: 'this runtime does not count buffers',
  }),
  line('RES-04', 'registry of 100 tools', '< 1 MB', most(1), 'MB'),
  line('RES-05', 'memory that is critical', '80 % of the system', null, '%', later('an alert rule, not a speed')),
  line('RES-06', 'CPU of the idle program', '5-10 %', most(10), '%'),
  line('RES-07', 'CPU per active conversation, of one core', '1-3 %', most(3), '%'),
  line('RES-08', 'CPU of audio processing per stream, of one core', '2-5 %', most(5), '%'),
  line('RES-09', 'CPU that is critical', '70 % sustained', null, '%', later('an alert rule, not a speed')),
  line('RES-10', 'audio per session', '64-128 kbps', most(128), 'kbit/s', RAW),
  line('RES-11', 'API call, bytes of a request', '1-10 kb', most(10), 'kB'),
  line('RES-12', 'WebRTC overhead per connection', '20-40 kbps', most(40), 'kbit/s', network),
  line('RES-13', '100 sessions together', '10 Mbps', most(10), 'Mbit/s', RAW),

  line('QUA-01', 'quality score', '> 4.0 of 5', least(4), 'of 5', later('needs calls of real callers')),
  line('QUA-02', 'quality by sensors and by users', 'this way of measuring', null, '', later('needs ratings of users')),
  line('QUA-03', 'clarity', '> 4.0', least(4), 'of 5', later('needs calls of real callers')),
  line('QUA-04', 'naturalness', '> 3.5', least(3.5), 'of 5', later('needs ratings of users')),
  line(
    'QUA-05',
    'intelligibility',
    '> 95 % of the words',
    least(95),
    '%',
    later('needs a real recognizer and references'),
  ),
  line('QUA-06', 'background noise', '< 2 %', most(2), '%', later('needs calls of real callers')),

  line('AVL-01', 'uptime, probes of this run', '99.9 %', least(99.9), '%'),
  line('AVL-02', 'availability of the health endpoint', 'this way of measuring', null, '%'),
  line('AVL-03', 'recovery of a component', '< 30 s', most(30), 's', {
    unmeasured: 'needs an outage of 30 s; the breaker is held by a test on virtual time',
  }),
];
