// Models that fail in the middle of real calls: the caller hears something within two seconds, and the call goes on.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { freePort } from '../../scripts/free-port.ts';
import { type Ended, endAll, HOSTS, type HostName, inFolder, start } from './program.ts';
import { KINDS, type Kind, type Provider, ROUTES, type Route, startProvider } from './provider.ts';
import { caller, sounds, wav } from './recordings.ts';
import { onSteadyMachine } from './steadiness.ts';

after(endAll);

/** The promise is 2 s from the request that died; the rest is the grain of clocks and a machine with two cores for all of this. */
const HEARD_WITHIN_MS = 2000 + 150;
const TWO_TURNS = wav(caller(11_200, [300, 'hello'], [9500, 'thanks']));
const FIRST_ANSWER = /^agent: {2}Hello! This is Syrinx/m;
const SECOND_ANSWER = /^agent: {2}My pleasure\. Give my regards to the monkeys/m;

interface Held {
  readonly ended: Ended;
  readonly out: Uint8Array;
  readonly ledger: { session: { startedAt: string; endReason: string }; turns: unknown[] };
}

let lastStart: Promise<unknown> = Promise.resolve();

/** One program after the other: starting at the same time they would keep each other, and the calls that go on, from being in time. */
function startInTurn(...args: Parameters<typeof start>): Promise<ReturnType<typeof start>> {
  const program = lastStart.then(() => start(...args));
  lastStart = program.then((started) => started.line(/"call started"/)).catch(() => undefined);
  return program;
}

/** One call of the command line against a provider; `meanwhile` follows it by its lines. */
async function hold(
  host: HostName,
  env: Readonly<Record<string, string>>,
  recording: Uint8Array,
  meanwhile: (program: ReturnType<typeof start>) => Promise<void> = async () => {},
): Promise<Held> {
  return inFolder(async (folder) => {
    writeFileSync(join(folder, 'in.wav'), recording);
    const args = ['call', 'in.wav', '--out', 'out.wav', '--ledger', 'l.json', '--record', 'r.rec'];
    // A stage gives up after 3 s here, so that the whole way to the apology fits between two turns.
    const program = await startInTurn(host, args, { cwd: folder, env: { SYRINX_MODELS_TIMEOUT_MS: '3000', ...env } });
    const [ended] = await Promise.all([program.exit(60_000), meanwhile(program)]);
    const text = `${host}: ${ended.stdout}\n${ended.stderr}`;
    assert.equal(ended.code, 0, text);
    // Logs are JSON lines; anything else would be a stack, or a rejection that nobody caught.
    for (const line of ended.stderr.trim().split('\n')) assert.match(line, /^\{.*\}$/, text);
    const ledger = JSON.parse(readFileSync(join(folder, 'l.json'), 'utf8'));
    assert.equal(ledger.session.endReason, 'caller hung up', text);
    return { ended, out: readFileSync(join(folder, 'out.wav')), ledger };
  });
}

/** From the first request that was let down to the first sound that follows it, in ms. */
function heardAfterMs({ out, ledger }: Held, provider: Provider): number {
  const dead = provider.asked.find(({ broken }) => broken);
  assert.ok(dead, 'no request met the fault');
  const deadMs = dead.atMs - Date.parse(ledger.session.startedAt);
  const next = sounds(out, 'right').find(({ endMs }) => endMs > deadMs);
  return (next?.startMs ?? Number.POSITIVE_INFINITY) - deadMs;
}

async function meets(host: HostName, route: Route, kind: Kind, when: 'first' | 'later'): Promise<void> {
  const provider = await startProvider();
  try {
    if (when === 'first') provider.break(route, kind, 60);
    const held = await hold(host, provider.env, TWO_TURNS, async (program) => {
      await program.line(/"turn completed"/);
      if (when === 'first') provider.heal();
      else provider.break(route, kind, 60);
    });
    const ms = heardAfterMs(held, provider);
    const { stdout, stderr } = held.ended;
    assert.ok(ms <= HEARD_WITHIN_MS, `heard after ${Math.round(ms)} ms\n${stdout}\n${stderr}`);
    assert.match(stdout, when === 'first' ? SECOND_ANSWER : FIRST_ANSWER, stderr);
    // Of 401 and 429 with a long wait nothing is asked again and again; nothing is asked without end.
    const tries = provider.asked.filter(({ broken }) => broken).length;
    assert.ok(tries <= 12, `${tries} requests`);
  } finally {
    await provider.close();
  }
}

const steady = (name: string, scenario: () => Promise<void>): void => {
  void test(name, () => onSteadyMachine(scenario));
};

describe('a model that fails for a whole turn', { concurrency: 10 }, () => {
  for (const [w, when] of (['first', 'later'] as const).entries()) {
    for (const [r, route] of ROUTES.entries()) {
      for (const [k, kind] of KINDS.entries()) {
        // Every host meets every kind and every route.
        const host = HOSTS[(w + r + k) % HOSTS.length] as HostName;
        test(`${route} ${kind} at ${when === 'first' ? 'the first turn' : 'a later turn'} (${host})`, () =>
          onSteadyMachine(() => meets(host, route, kind, when)));
      }
    }
  }
});

describe('a provider that comes and goes', { concurrency: 6 }, () => {
  steady('429 with a short Retry-After: the answer comes late, without an apology', async () => {
    const provider = await startProvider();
    try {
      provider.break('llm', '429', 1);
      const short = wav(caller(2000, [300, 'hello']));
      const held = await hold('bun', provider.env, short, async (program) => {
        await program.line(/model attempt failed/);
        provider.heal();
      });
      assert.match(held.ended.stdout, FIRST_ANSWER);
      assert.doesNotMatch(held.ended.stdout, /sorry/);
      const asked = provider.asked.filter(({ route }) => route === 'llm');
      assert.ok((asked[1]?.atMs ?? 0) - (asked[0]?.atMs ?? 0) >= 990, 'asked again before its time');
    } finally {
      await provider.close();
    }
  });

  for (const host of HOSTS) {
    steady(`${host}: nothing listens at OPENAI_BASE_URL: an apology for each turn, and a call that ends`, async () => {
      const env = { OPENAI_BASE_URL: `http://127.0.0.1:${await freePort()}/v1`, OPENAI_API_KEY: 'sk-test' };
      const held = await hold(host, env, wav(caller(2000, [300, 'hello'])));
      const [first] = sounds(held.out, 'right');
      assert.ok(first && first.startMs <= 1620 + HEARD_WITHIN_MS, `heard at ${first?.startMs}`);
      assert.match(held.ended.stderr, /"stage failed"/);
      assert.doesNotMatch(held.ended.stderr, /sk-test/);
    });
  }

  steady('the server of the models is killed in the middle of a call and comes back', async () => {
    const port = await freePort();
    const simulate = () => start('bun', ['simulate', '--port', String(port)]);
    let server = simulate();
    await server.line(/OPENAI_BASE_URL/);
    const env = { OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1`, OPENAI_API_KEY: 'sk-test' };
    const three = wav(caller(19_000, [300, 'hello'], [8000, 'monkeys'], [16_500, 'thanks']));
    const held = await hold('node', env, three, async (program) => {
      await program.lines(/"turn completed"/, 1);
      server.signal('SIGKILL');
      await server.exit();
      await program.lines(/"turn completed"/, 2);
      server = simulate();
      await server.line(/OPENAI_BASE_URL/);
    });
    server.signal('SIGTERM');
    assert.equal((await server.exit()).code, 0);
    assert.match(held.ended.stdout, FIRST_ANSWER, held.ended.stderr);
    assert.match(held.ended.stdout, /sorry/, held.ended.stderr);
    assert.match(held.ended.stdout, SECOND_ANSWER, held.ended.stderr);
  });
});
