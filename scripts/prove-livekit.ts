// Proves that a call outlives its server: killed in the middle of an answer for minutes, started anew, and the dialogue goes on.
// `bun scripts/prove-livekit.ts [--outage SECONDS] [--host bun|node|deno|binary]`. Beside it, as the control, LiveKit's stock client.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { AgentDispatchClient } from 'livekit-server-sdk';
import { watchTimer } from '../test/e2e/steadiness.ts';
import { startCaller } from '../test/livekit/room/caller.ts';
import { KEY, pause, SECRET, startRealServer, until } from '../test/livekit/room/real-server.ts';
import { bun, indent, root, run } from './steps.ts';

const { values } = parseArgs({
  options: {
    judge: { type: 'string', default: process.env.SYRINX_JUDGE ?? join(root, '..', 'shared', 'judge') },
    outage: { type: 'string', default: '180' },
    host: { type: 'string', default: 'bun' },
  },
});
const judge = resolve(values.judge);
if (!existsSync(join(judge, 'referee.mjs')))
  fail(`There is no judge at ${judge}: give its folder with --judge or SYRINX_JUDGE`);
const built = await run([bun, 'scripts/install-livekit-server.ts'], { limitSeconds: 1300 });
if (built.code !== 0) fail(`The LiveKit server is not there\n${indent(built.output)}`);

interface Dialogue {
  readonly samples: Float32Array;
  readonly rate: number;
  readonly turns: readonly {
    readonly startMs: number;
    readonly endMs: number;
    readonly text: string;
    readonly reply: string;
  }[];
}
interface Entry {
  readonly route: string;
  readonly user?: string;
  readonly messages?: readonly { readonly role: string; readonly content: string }[];
}
const { startReferee, loadDialogue } = await import(join(judge, 'referee.mjs'));
const { listen, wordsOf } = await import(join(judge, 'tones.mjs'));
const { resample } = await import(join(judge, 'audio.mjs'));

const dialogue: Dialogue = loadDialogue(join(judge, 'dialogues', 'barge-in'));
const OUTAGE_MS = Number(values.outage) * 1000;
/** The stock client gives up 27 s after it was cut off; a shorter outage proves nothing of ours. */
const GIVE_UP_MS = 40_000;
const VOICE_HZ = 24_000;
const AGENT = 'prove';
const ROOM = 'proof';
const DONE_MS = 1500;
/** The caller's microphone does not stutter while its process waits for the machine. */
const AHEAD_MS = 400;
/** Where a timer of this process was so late, the turns after the outage had not their machine: if they fail, they are held again. */
const BUSY_MS = 40;
const EVERY_MS = 10;
const TIMES = 3;
/** More than are ever asked in one call. */
const MAX_QUESTIONS = 32;

interface Finding {
  readonly ok: boolean;
  readonly what: string;
  readonly figure: string;
}
let passed = 0;
let failed = 0;
/** Questions of the dialogue that were asked again, for which the machine had no time. */
let repeated = 0;
function check(ok: boolean, what: string, figure: string): void {
  if (ok) passed++;
  else failed++;
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${what}: ${figure}`);
}
function fail(why: string): never {
  console.error(`${why}\n\n0 passed, 1 failed`);
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), 'prove-livekit-'));
const ledgerFile = join(folder, 'ledger.json');
const server = await startRealServer();
/** What the referee expects as the n-th question: always the one that is being asked, for turns may be held again. */
const expected: Turn[] = [];
const referee: { url: string; entries: Entry[]; close(): Promise<void> } = await startReferee({
  dialogue: { ...dialogue, turns: expected },
  slackMs: 25,
});
const caller = await startCaller();
const control = await startCaller();
let workerSays = '';
const worker = startWorker();
const now = () => performance.timeOrigin + performance.now();
const secondsSince = (sinceMs: number) => `${((now() - sinceMs) / 1000).toFixed(1)} s`;

try {
  await holdCall();
} catch (error) {
  check(false, 'the call goes on', `${(error as Error).message}\nThe worker says:\n${indent(workerSays.slice(-3000))}`);
} finally {
  await Promise.all([caller.exit(), control.exit()]);
  if (worker.exitCode === null) process.kill(-(worker.pid as number), 'SIGKILL');
  await referee.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

async function holdCall(): Promise<void> {
  control.do('join', { url: server.url, token: await server.token('control', 'control') });
  await control.hears('joined', 15_000);
  const token = await server.token('caller', ROOM);
  caller.do('join', { url: server.url, token, again: true, record: join(folder, 'heard'), aheadMs: AHEAD_MS });
  await caller.hears('joined', 15_000);
  await dispatch();
  await pause(1500);
  const before = await participants();
  check(before.length === 2, 'the agent comes when it is dispatched', before.join(', '));

  // The first answer has 25 words; the server dies in the middle of it.
  const [first, second, third, fourth] = dialogue.turns as [Turn, Turn, Turn, Turn];
  const from = await askFirst(first);
  await pause(2000);
  const killedMs = now();
  await server.kill();
  const [told, controlTold] = [caller.told.length, control.told.length];
  console.log(`     the server is killed while the agent answers, for ${OUTAGE_MS / 1000} s ...`);
  await pause(OUTAGE_MS);
  check(worker.exitCode === null, 'the worker lives', `after ${secondsSince(killedMs)} without its server`);
  const gaveUp = control.told.slice(controlTold).find((t) => t.event === 'disconnected');
  if (OUTAGE_MS > GIVE_UP_MS) {
    const after = gaveUp === undefined ? 'it has not' : `after ${((gaveUp.at - killedMs) / 1000).toFixed(1)} s`;
    check(gaveUp !== undefined, "control: LiveKit's stock client gives up", after);
  }

  const startedMs = now();
  await server.start();
  await caller.hears('joined', 30_000, told);
  console.log(`     the server is back; the caller has joined anew after ${secondsSince(startedMs)}`);
  await caller.hears('sound', 30_000, told, (t) => t.on === true && t.at > startedMs);
  check(true, 'the caller hears the agent again', `${secondsSince(startedMs)} after the server is back`);
  await untilSilent();
  const after = await participants();
  check(after.toSorted().join() === before.toSorted().join(), 'the same two are in the room', after.join(', '));
  checkSaidAgain(heardWords(from), wordsOf(first.reply));

  for (let time = 1; ; time++) {
    const machine = watchTimer(EVERY_MS);
    const findings: Finding[] = [];
    await holdRest([second, third, fourth], findings).catch((error: Error) => {
      findings.push({ ok: false, what: 'the call goes on', figure: error.message });
    });
    const lateMs = machine.stop();
    if (findings.every(({ ok }) => ok) || lateMs < BUSY_MS || time === TIMES) {
      for (const { ok, what, figure } of findings) check(ok, what, figure);
      break;
    }
    const wrong = findings.filter(({ ok }) => !ok).map(({ what }) => what);
    repeated += 3;
    console.log(
      `     the machine was ${lateMs} ms late, the turns after the outage are held again (${wrong.join('; ')})`,
    );
  }
  const questions =
    referee.entries.findLast((e) => e.route === 'llm')?.messages?.filter((m) => m.role === 'user') ?? [];
  // What was asked again may have become one question with the one before, or two.
  const isAll = (count: number) => (repeated === 0 ? count === dialogue.turns.length : count >= dialogue.turns.length);
  check(
    questions.some(({ content }) => content === first.text) && isAll(questions.length),
    'the conversation is one',
    `${questions.length} questions in the last request, the first from before the outage`,
  );
  const ledger = JSON.parse(readFileSync(ledgerFile, 'utf8'));
  const inLedger: string[] = ledger.turns.map((turn: { caller: { text: string } | null }) => turn.caller?.text);
  check(
    inLedger.includes(first.text) && inLedger.at(-1) === fourth.text && isAll(inLedger.length),
    'one ledger',
    `${inLedger.length} turns in session ${ledger.session.id}`,
  );
  const came = control.told.slice(controlTold).some((t) => t.event === 'joined' || t.event === 'reconnected');
  if (OUTAGE_MS > GIVE_UP_MS) check(!came, 'control: it has not come back', secondsSince(startedMs));
}

/** The rest of the dialogue: a whole answer, and one that is interrupted. */
async function holdRest([second, third, fourth]: readonly [Turn, Turn, Turn], findings: Finding[]): Promise<void> {
  const find = (ok: boolean, what: string, figure: string) => void findings.push({ ok, what, figure });
  const asked = referee.entries.length;
  let from = heardWords(0).length;
  await sayAndHear(second);
  await untilSilent();
  const secondHeard = heardWords(from);
  find(secondHeard.join() === wordsOf(second.reply).join(), 'turn 2: whole answer', secondHeard.join(' '));
  from = heardWords(0).length;
  await sayAndHear(third);
  await pause(1800);
  await sayAndHear(fourth);
  await untilSilent();
  const rest = heardWords(from);
  const cutOff = rest.findIndex((word, i) => word === 'romeo' && rest[i + 1] === 'sierra' && rest[i + 2] === 'tango');
  const thirdHeard = rest.slice(0, Math.max(0, cutOff));
  const inOrder = thirdHeard.every((word, i) => word === wordsOf(third.reply)[i]);
  find(
    inOrder && thirdHeard.length >= 3 && thirdHeard.length < 25,
    'turn 3: the caller interrupts',
    `${thirdHeard.length} of 25 words`,
  );
  const fourthHeard = rest.slice(Math.max(0, cutOff));
  find(fourthHeard.join() === wordsOf(fourth.reply).join(), 'turn 4: whole answer', fourthHeard.join(' '));

  for (const [i, turn] of dialogue.turns.entries()) {
    const mine = referee.entries.filter(
      (e, at) => e.route === 'llm' && e.user === turn.text && (i === 0 || at >= asked),
    );
    find(
      mine.length === 1,
      `turn ${i + 1} understood`,
      mine.length === 1 ? JSON.stringify(turn.text) : `asked ${mine.length} times`,
    );
  }
  const last = referee.entries.findLast((e) => e.route === 'llm')?.messages ?? [];
  const told = wordsOf(last.findLast((m) => m.role === 'assistant')?.content ?? '') as string[];
  find(
    Math.abs(told.length - thirdHeard.length) <= 1,
    'the model is told only what was heard',
    `${told.length} words told, ${thirdHeard.length} heard (+-1)`,
  );
}

/** Returns how many words were heard before the answer that will be broken off. */
async function askFirst(first: Turn): Promise<number> {
  for (let time = 1; ; time++) {
    const from = heardWords(0).length;
    const machine = watchTimer(EVERY_MS);
    await sayAndHear(first);
    const lateMs = machine.stop();
    const isUnderstood = referee.entries.some((e) => e.route === 'llm' && e.user === first.text);
    if (isUnderstood || lateMs < BUSY_MS || time === TIMES) return from;
    repeated++;
    console.log(`     the machine was ${lateMs} ms late, the first question is asked again`);
    await untilSilent();
  }
}

type Turn = Dialogue['turns'][number];

/** The server reports a worker that has just registered a little late. */
async function dispatch(): Promise<void> {
  const dispatches = new AgentDispatchClient(server.http, KEY, SECRET);
  for (let attempt = 0; attempt < 12; attempt++) {
    const { id } = await dispatches.createDispatch(ROOM, AGENT);
    const here = await until('the agent', 5000, () => caller.told.some((t) => t.event === 'track')).catch(() => false);
    if (here) return;
    await dispatches.deleteDispatch(id, ROOM).catch(() => {});
  }
  throw new Error('The agent does not come');
}

async function participants(): Promise<string[]> {
  return (await server.rooms.listParticipants(ROOM)).map((p) => p.identity);
}

function say(turn: Turn): void {
  const { startMs, endMs } = turn;
  for (let i = 0; i < MAX_QUESTIONS; i++) expected[i] = turn;
  const part = dialogue.samples.subarray(
    Math.round(((startMs - 150) * dialogue.rate) / 1000),
    Math.round(((endMs + 150) * dialogue.rate) / 1000),
  );
  const samples = Int16Array.from(resample(part, dialogue.rate, VOICE_HZ) as Float32Array, (v) =>
    Math.round(v * 32_767),
  );
  caller.do('say', { pcm: Buffer.from(samples.buffer).toString('base64') });
}

async function sayAndHear(turn: Turn): Promise<void> {
  const since = caller.told.length;
  say(turn);
  const { at } = await caller.hears('spoken', 15_000, since);
  await caller.hears('sound', 15_000, since, (t) => t.on === true && t.at > at);
}

async function untilSilent(): Promise<void> {
  await until('silence', 30_000, () => {
    const last = caller.told.findLast((t) => t.event === 'sound');
    return last?.on === false && now() - last.at > DONE_MS;
  });
}

/** All words that the caller has heard so far, from the `from`th on. */
function heardWords(from: number): string[] {
  const files = caller.told.filter((t) => t.event === 'recording').map((t) => String(t.path));
  const words = files.flatMap((file) => {
    const bytes = readFileSync(file);
    const pcm = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1);
    const samples = Float32Array.from(pcm, (v) => v / 32_768);
    const found: { word: string; startMs: number; endMs: number }[] = listen(samples, VOICE_HZ, {
      floorDb: -35,
      bridgeMs: 30,
      wordSlackMs: 60,
    });
    // A word that an outage or an interruption has cut is none.
    return found.filter((w) => w.endMs - w.startMs >= 125).map((w) => w.word);
  });
  return words.slice(from);
}

/** Nothing of the answer is lost: its words in order, where some before the hole may be said twice. */
function checkSaidAgain(words: readonly string[], wanted: readonly string[]): void {
  let next = 0;
  let again = 0;
  for (const word of words) {
    if (word === wanted[next]) next++;
    else if (wanted.slice(0, next).includes(word) || word === '?' || word === '#') again++;
    else break;
  }
  const isWhole = next === wanted.length && words.length === next + again;
  check(
    isWhole && again <= 20,
    'turn 1: what the caller missed is said again',
    `${next} of ${wanted.length} words, ${again} twice`,
  );
}

function startWorker(): ChildProcess {
  const start =
    values.host === 'binary' ? [join(root, 'dist', 'syrinx')] : ['npm', 'run', '-s', `on:${values.host}`, '--'];
  const [command, ...args] = [...start, 'start', '--agent-name', AGENT, '--port', '0', '--ledger', ledgerFile];
  const child = spawn(String(command), args, {
    cwd: root,
    env: {
      ...process.env,
      OPENAI_BASE_URL: referee.url,
      OPENAI_API_KEY: 'judge',
      LIVEKIT_URL: server.url,
      LIVEKIT_API_KEY: KEY,
      LIVEKIT_API_SECRET: SECRET,
      NODE_ENV: 'production',
      RUST_LOG: 'off',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      workerSays = (workerSays + text).slice(-20_000);
    });
  return child;
}
