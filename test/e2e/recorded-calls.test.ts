// Calls that are interrupted, killed, recorded and replayed, and the demonstration of the README, on every host.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { readWav } from '../../src/audio/wav.ts';
import { endAll, HOSTS, type HostName, inFolder, run, serve, start } from './program.ts';
import { caller, sounds, wav } from './recordings.ts';
import { dial } from './socket-caller.ts';
import { onSteadyMachine } from './steadiness.ts';

after(endAll);

const SIMULATED = { SYRINX_MODELS_PROVIDER: 'simulated', SYRINX_LOGGING_LEVEL: 'error' };

/** Replays a recording on every host; the effects, which must be the same bytes. */
async function replayEverywhere(folder: string, recording: string, truncated = false): Promise<string> {
  const texts = await Promise.all(
    HOSTS.map(async (host) => {
      const effects = join(folder, `${recording}.${host}.jsonl`);
      const ended = await run(host, ['replay', join(folder, recording), '--effects', effects]);
      assert.equal(ended.code, 0, `${host}: ${ended.stderr}`);
      if (truncated) assert.match(ended.stderr, /^(?:.* ends in the middle of an input.*\n)?$/, host);
      else assert.equal(ended.stderr, '', host);
      return readFileSync(effects, 'utf8');
    }),
  );
  for (const [i, text] of texts.entries())
    assert.ok(text === texts[0], `effects on ${HOSTS[i]} differ from ${HOSTS[0]}`);
  return texts[0] ?? '';
}

/** `at`: the last line before the signal. The transcript comes while the reply is being made, its text when it has been said. */
async function endsBySigint(host: HostName, at: RegExp): Promise<void> {
  await inFolder(async (folder) => {
    writeFileSync(join(folder, 'in.wav'), wav(caller(20_000, [300, 'hello'], [8000, 'weasels'])));
    const args = ['call', 'in.wav', '--out', 'out.wav', '--ledger', 'l.json', '--record', 'call.rec'];
    const program = start(host, args, { cwd: folder, env: SIMULATED });
    await program.line(at);
    const signalledMs = performance.now();
    program.signal('SIGINT');
    const { code, stderr } = await program.exit(5000);
    const tookMs = performance.now() - signalledMs;
    assert.equal(code, 0, stderr);
    assert.equal(stderr, '');
    assert.ok(tookMs < 1000, `took ${Math.round(tookMs)} ms`);
    const ledger = JSON.parse(readFileSync(join(folder, 'l.json'), 'utf8'));
    assert.equal(ledger.session.endReason, 'stopped');
    assert.ok(ledger.session.durationMs > 1000);
    const out = readFileSync(join(folder, 'out.wav'));
    assert.ok(readWav(out).channels.length === 2);
    assert.equal(sounds(out, 'left').length, 1);
    const effects = await replayEverywhere(folder, 'call.rec');
    assert.match(effects, /"effect":"end","reason":"stopped"/);
  });
}

async function survivesSigkill(host: HostName): Promise<void> {
  await inFolder(async (folder) => {
    writeFileSync(join(folder, 'in.wav'), wav(caller(20_000, [300, 'hello'])));
    const program = start(host, ['call', 'in.wav', '--record', 'call.rec'], { cwd: folder, env: SIMULATED });
    await program.line(/^agent: {2}Hello! This is Syrinx/);
    program.signal('SIGKILL');
    assert.equal((await program.exit()).code, null);
    const effects = await replayEverywhere(folder, 'call.rec', true);
    // The recording is written in blocks; what was said before the last one is there.
    assert.match(effects, /"effect":"transcribe"/);
    assert.doesNotMatch(effects, /"effect":"end"/);
  });
}

async function recordsServedCalls(host: HostName): Promise<void> {
  await inFolder(async (folder) => {
    const server = await serve(host, ['--record', folder]);
    const call = await dial(`${server.socketUrl}?rate=16000&reportsPlayed=1`);
    // The second phrase comes while the first is being answered.
    await call.speak(caller(8500, [300, 'weasels'], [5200, 'thanks']));
    await call.notice('interrupted');
    await call.notice('reply', ({ text }) => String(text).startsWith('My pleasure'));
    call.say({ type: 'bye' });
    await call.closed;
    const { session } = await call.notice('ready');
    server.program.signal('SIGTERM');
    assert.equal((await server.program.exit()).code, 0);
    assert.deepEqual(readdirSync(folder), [`${session}.rec`]);
    const effects = await replayEverywhere(folder, `${session}.rec`);
    assert.match(effects, /"type":"interrupted"/);
    assert.match(effects, /"effect":"end"/);
  });
}

async function demonstrates(host: HostName): Promise<void> {
  const program = start(host, ['start', '--demo', '--port', '0']);
  const [, url = ''] = await program.line(
    /^Syrinx \S+ on \S+ \S+ serves "demonstration" at (http:\/\/127\.0\.0\.1:\d+\/)$/,
  );
  await program.line(/^The server stays up: .*\/health, \/metrics, \/status\. Ctrl-C stops it\.$/, 60_000);
  const said = program.stdout.split('\n').filter((line) => line.startsWith('caller'));
  assert.deepEqual(said, [
    'caller  Hello world.',
    'caller  Weasels have eaten our phone system.',
    'caller  They have been carried away by monkeys.',
    'caller  Thank you for your patience.',
  ]);
  assert.match(program.stdout, /^agent {3}Oh dear, weasels again\..* -- \(interrupted\)$/m);
  assert.match(program.stdout, /^agent {3}Then the weasels are gone\. I have just checked your line/m);
  const turns = program.stdout
    .split('\n')
    .filter((line) => /^ {8}turn \d: heard after \d+ ms \|.*\|.*; own -?\d+ ms$/.test(line));
  assert.ok(turns.length >= 3, program.stdout);
  const [, seconds] = /hangs up\. ([\d.]+) s of the agent's voice came through/.exec(program.stdout) ?? [];
  assert.ok(Number(seconds) > 10, program.stdout);
  const health = await fetch(`${url}health`);
  assert.equal(health.status, 200);
  assert.equal(((await health.json()) as { healthy: boolean }).healthy, true);
  assert.equal(program.stderr, '');
  program.signal('SIGINT');
  assert.equal((await program.exit()).code, 0);
}

const SCENARIOS: Readonly<Record<string, (host: HostName) => Promise<void>>> = {
  'the demonstration is held, printed, and the server stays up': demonstrates,
  'SIGINT while a reply is being made ends the call at once, with everything written': (host) =>
    endsBySigint(host, /^caller: Hello world\.$/),
  'SIGINT between two turns ends the call at once, with everything written': (host) =>
    endsBySigint(host, /^agent: {2}Hello! This is Syrinx/),
  'a recording cut by SIGKILL replays as far as it goes, everywhere alike': survivesSigkill,
  'calls that a server recorded replay to the same bytes everywhere': recordsServedCalls,
};
describe('recorded calls', { concurrency: 8 }, () => {
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    for (const host of HOSTS) test(`${host}: ${name}`, () => onSteadyMachine(() => scenario(host)));
  }
});
