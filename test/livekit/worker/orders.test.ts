// Every order of up to four messages that a server can send, right or wrong, against a model of what the worker must make of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBench } from './bench.ts';
import type { FakeLink } from './fake-link.ts';
import { settle } from './virtual-clock.ts';

const WORDS = ['register', 'offer', 'assign', 'terminate', 'pong', 'garbage'] as const;
type Word = (typeof WORDS)[number];
const JOB = 'AJ_1';

function say(link: FakeLink, word: Word): void {
  if (word === 'register') link.register();
  else if (word === 'pong') link.say({ case: 'pong', value: { lastTimestamp: 1n, timestamp: 2n } });
  else if (word === 'garbage') link.raw(new Uint8Array([0xff, 0xff]));
  else link[word](JOB);
}

interface Outcome {
  state: string;
  /** How often the offer was taken, the job begun, and told to the server as failed. */
  accepted: number;
  begun: number;
  failed: number;
  terminated: boolean;
}

/** The rules, in few words: one registration comes first; a job is offered, then assigned, then perhaps ended. */
function expected(words: readonly Word[]): Outcome {
  const seen: Outcome = { state: 'registering', accepted: 0, begun: 0, failed: 0, terminated: false };
  let job: 'none' | 'reserved' | 'running' = 'none';
  for (const word of words) {
    if (seen.state === 'registering') {
      if (word === 'register') seen.state = 'registered';
      else if (word !== 'pong') return { ...seen, state: 'waiting' };
    } else if (word === 'offer' && job === 'none') {
      job = 'reserved';
      seen.accepted++;
    } else if (word === 'assign') {
      if (job === 'reserved') {
        job = 'running';
        seen.begun++;
      } else if (job === 'none') seen.failed++;
    } else if (word === 'terminate') {
      if (job === 'reserved') job = 'none';
      if (job === 'running') seen.terminated = true;
    }
  }
  return seen;
}

function sequences(length: number): Word[][] {
  if (length === 0) return [[]];
  return sequences(length - 1).flatMap((begun) => WORDS.map((word) => [...begun, word]));
}

test('each order of four messages: what is right is done, what is wrong is ignored, told as failed, or the end of the connection', async () => {
  const wrong: unknown[] = [];
  for (const words of sequences(4)) {
    const bench = createBench();
    bench.worker.start();
    await settle();
    const link = bench.links.last.open();
    for (const word of words) say(link, word);
    const was: Outcome = {
      state: bench.worker.status().registrations[0]?.state ?? '',
      accepted: link.answerTo(JOB).filter(({ available }) => available).length,
      begun: bench.jobs.length,
      failed: link.reports(JOB).filter((one) => one === 'JS_FAILED: assignment was not expected').length,
      terminated: bench.jobs.some(({ job }) => job.terminate.aborted),
    };
    const wanted = expected(words);
    if (JSON.stringify(was) !== JSON.stringify(wanted)) wrong.push({ words: words.join(' '), was, wanted });
  }
  assert.deepEqual(wrong.slice(0, 5), []);
});

test('assigned while the application thinks, after it has refused, and on behalf of another job', async () => {
  let answer: (accept: boolean) => void = () => {};
  const bench = createBench({
    agent: {
      accept: (offer) =>
        offer.id === 'AJ_no'
          ? { accept: false }
          : new Promise((resolve) => {
              answer = (accept) => resolve({ accept });
            }),
    },
  });
  const link = await bench.registered();
  link.offer('AJ_no');
  link.assign('AJ_no');
  assert.deepEqual(link.reports('AJ_no'), ['JS_FAILED: assignment was not expected']);
  link.offer('AJ_slow');
  link.assign('AJ_slow');
  assert.deepEqual(link.reports('AJ_slow'), ['JS_FAILED: assignment was not expected']);
  answer(true);
  await settle();
  link.assign('AJ_other');
  assert.equal(bench.jobs.length, 0);
  link.assign('AJ_slow');
  assert.deepEqual(
    bench.jobs.map(({ job }) => job.id),
    ['AJ_slow'],
  );
});
