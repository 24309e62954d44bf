// One request until it answers: limits, retries, fallbacks, a second one beside the first, and aborts at each point.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ModelError, type ModelErrorKind } from '../../src/models/port.ts';
import { Breaker } from '../../src/runner/breaker.ts';
import {
  asModelError,
  type Candidate,
  DEFAULT_PERSIST_POLICY,
  persist,
  type PersistPolicy,
} from '../../src/runner/persist.ts';
import { createScope } from '../../src/runner/scope.ts';
import { settled, VirtualTime } from '../simulation/virtual-time.ts';

const failure = (kind: ModelErrorKind, retryAfterMs?: number) => new ModelError(kind, 'm', kind, { retryAfterMs });
/** What a request does: an answer or an error after a time, or nothing for ever. */
type Outcome = { afterMs?: number; give?: string; fail?: Error } | 'stall';

interface Request {
  readonly atMs: number;
  readonly signal: AbortSignal;
}

class Model implements Candidate<string> {
  readonly requests: Request[] = [];
  readonly discarded: string[] = [];
  readonly breaker: Breaker;
  readonly name: string;
  readonly #time: VirtualTime;
  readonly #outcomes: readonly Outcome[];

  constructor(time: VirtualTime, outcomes: readonly Outcome[], name = 'm') {
    this.name = name;
    this.#time = time;
    this.#outcomes = outcomes;
    this.breaker = new Breaker(time);
  }

  readonly ask = async (signal: AbortSignal): Promise<string> => {
    const outcome = this.#outcomes[this.requests.length] ?? this.#outcomes.at(-1) ?? 'stall';
    this.requests.push({ atMs: this.#time.now(), signal });
    if (outcome === 'stall') await this.#time.wait(1e9, signal, () => failure('aborted'));
    else if (outcome.afterMs !== undefined) await this.#time.wait(outcome.afterMs, signal, () => failure('aborted'));
    if (outcome !== 'stall' && outcome.fail !== undefined) throw outcome.fail;
    return outcome === 'stall' ? '' : (outcome.give ?? '');
  };
  readonly discard = (answer: string): void => void this.discarded.push(answer);
}

const quick: PersistPolicy = { ...DEFAULT_PERSIST_POLICY, hedgeAfterMs: 0 };

async function run(time: VirtualTime, candidates: readonly Model[], policy = quick, untilMs = 60_000) {
  const scope = createScope();
  const failures: string[] = [];
  const stalled: number[] = [];
  const result = persist(candidates, {
    clock: time,
    policy,
    random: () => 1,
    scope,
    onStalled: () => stalled.push(time.now()),
    onFailure: (name, error) => failures.push(`${name} ${error.kind}`),
  }).then(
    ({ answer, scope: own }) => {
      const atMs = time.now();
      own.close();
      return { answer, atMs, error: null };
    },
    (error: unknown) => ({ answer: null, atMs: time.now(), error: error as ModelError }),
  );
  await time.runTo(untilMs);
  const done = await result;
  return { ...done, failures, stalled, scope };
}

test('an answer at once is one request, and leaves no timer', async () => {
  const time = new VirtualTime();
  const model = new Model(time, [{ give: 'yes' }]);
  const { answer, stalled } = await run(time, [model]);
  assert.equal(answer, 'yes');
  assert.deepEqual([model.requests.length, time.pending, stalled.length], [1, 0, 0]);
});

test('retries: as many as allowed, with a pause that doubles and at most a tenth of jitter', async () => {
  const time = new VirtualTime();
  const model = new Model(time, [{ fail: failure('unavailable') }]);
  const { error, failures } = await run(time, [model]);
  assert.equal(error?.kind, 'unavailable');
  assert.deepEqual(
    model.requests.map((r) => Math.round(r.atMs)),
    [0, 110, 330],
  );
  assert.equal(failures.length, 3);
  assert.equal(time.pending, 0);
});

test('what can not succeed is not asked again', async () => {
  for (const kind of ['auth', 'invalid-request', 'quota', 'internal'] as const) {
    const time = new VirtualTime();
    const model = new Model(time, [{ fail: failure(kind) }]);
    const { error } = await run(time, [model]);
    assert.equal(error?.kind, kind);
    assert.equal(model.requests.length, 1, kind);
  }
});

test('Retry-After is kept to, and not waited for where it is longer than the caller would', async () => {
  const time = new VirtualTime();
  const model = new Model(time, [{ fail: failure('rate-limit', 2500) }, { give: 'yes' }]);
  const first = await run(time, [model]);
  assert.deepEqual([first.answer, first.atMs], ['yes', 2500]);
  assert.deepEqual(first.stalled, [1400]);
  const other = new VirtualTime();
  const long = new Model(other, [{ fail: failure('rate-limit', 20_000) }]);
  const second = await run(other, [long]);
  assert.deepEqual([second.error?.kind, second.atMs, long.requests.length], ['rate-limit', 0, 1]);
});

test('fallbacks are asked in their order, at once', async () => {
  const time = new VirtualTime();
  const [a, b, c] = [
    new Model(time, [{ afterMs: 10, fail: failure('unavailable') }], 'a'),
    new Model(time, [{ afterMs: 10, fail: failure('auth') }], 'b'),
    new Model(time, [{ afterMs: 10, give: 'yes' }], 'c'),
  ];
  const { answer, atMs, failures } = await run(time, [a, b, c]);
  assert.deepEqual([answer, atMs, failures], ['yes', 30, ['a unavailable', 'b auth']]);
});

test('a model whose breaker is open is passed over; when all are, that is the error', async () => {
  const time = new VirtualTime();
  const [a, b] = [new Model(time, [{ give: 'a' }], 'a'), new Model(time, [{ give: 'b' }], 'b')];
  for (let i = 0; i < 5; i++) a.breaker.failed();
  assert.equal((await run(time, [a, b], quick, 10)).answer, 'b');
  assert.equal(a.requests.length, 0);
  for (let i = 0; i < 5; i++) b.breaker.failed();
  const { error } = await run(time, [a, b], quick, 20);
  assert.equal(error?.kind, 'unavailable');
  assert.match(error?.message ?? '', /resting/);
  assert.equal((await run(time, [], quick, 30)).error?.kind, 'unavailable');
});

test('a silent attempt is given up at its limit, everything at the limit of all', async () => {
  const time = new VirtualTime();
  const model = new Model(time, ['stall']);
  const { error, atMs, stalled } = await run(time, [model]);
  assert.equal(error?.kind, 'timeout');
  assert.equal(atMs, 10_000);
  assert.deepEqual(stalled, [1400]);
  assert.ok(model.requests.every((r) => r.signal.aborted));
  assert.equal(model.requests.length, 2);
  assert.equal(time.pending, 0);
});

test('a second request beside a silent one: the first answer wins, the other is aborted', async () => {
  const time = new VirtualTime();
  const model = new Model(time, [
    { afterMs: 5000, give: 'slow' },
    { afterMs: 300, give: 'quick' },
  ]);
  const { answer, atMs } = await run(time, [model], DEFAULT_PERSIST_POLICY);
  assert.deepEqual([answer, atMs], ['quick', 1300]);
  assert.deepEqual(
    model.requests.map((r) => r.atMs),
    [0, 1000],
  );
  assert.ok(model.requests[0]?.signal.aborted);
  assert.equal(model.breaker.state, 'closed');
  assert.equal(time.pending, 0);
});

test('a second request that fails leaves the first its time', async () => {
  const time = new VirtualTime();
  const model = new Model(time, [
    { afterMs: 2000, give: 'slow' },
    { afterMs: 10, fail: failure('unavailable') },
  ]);
  const { answer, atMs, failures } = await run(time, [model], DEFAULT_PERSIST_POLICY);
  assert.deepEqual([answer, atMs, failures], ['slow', 2000, []]);
});

test('an answer that comes in spite of its abort is given back', async () => {
  const time = new VirtualTime();
  const model = new Model(time, []);
  let asked = 0;
  const deaf: Candidate<string> = {
    name: 'deaf',
    breaker: model.breaker,
    ask: () => new Promise((resolve) => void time.setTimer(() => resolve('late'), ++asked === 1 ? 2000 : 100)),
    discard: model.discard,
  };
  const scope = createScope();
  const won = persist([deaf], { clock: time, policy: DEFAULT_PERSIST_POLICY, random: () => 0, scope });
  await time.runTo(1500);
  assert.equal((await won).answer, 'late');
  assert.deepEqual(model.discarded, []);
  await time.runTo(3000);
  assert.deepEqual(model.discarded, ['late']);
});

test('aborted at each point: an aborted error, no further request, and nothing against the model', async () => {
  for (const [what, outcome, atMs] of [
    ['while it waits for an answer', 'stall', 50],
    ['while two are asked', 'stall', 1200],
    ['in the pause before another attempt', { fail: failure('rate-limit', 5000) }, 100],
  ] as const) {
    const time = new VirtualTime();
    const model = new Model(time, [outcome]);
    const scope = createScope();
    const result = persist([model], { clock: time, policy: DEFAULT_PERSIST_POLICY, random: () => 0, scope }).then(
      () => 'answered',
      (error: ModelError) => error.kind,
    );
    await time.runTo(atMs);
    const before = model.requests.length;
    scope.close();
    await settled();
    assert.equal(await result, 'aborted', what);
    await time.runTo(60_000);
    assert.equal(model.requests.length, before, what);
    assert.equal(time.pending, 0, what);
    assert.equal(model.breaker.state, 'closed', what);
    assert.ok(model.breaker.allows());
  }
  const time = new VirtualTime();
  const scope = createScope();
  scope.close();
  const model = new Model(time, [{ give: 'yes' }]);
  await assert.rejects(persist([model], { clock: time, policy: quick, random: () => 0, scope }), { kind: 'aborted' });
  assert.equal(model.requests.length, 0);
});

test('an abort while half-open lets the next request try', async () => {
  const time = new VirtualTime();
  const model = new Model(time, ['stall', { give: 'yes' }]);
  for (let i = 0; i < 5; i++) model.breaker.failed();
  await time.runTo(30_000);
  const scope = createScope();
  const first = persist([model], { clock: time, policy: quick, random: () => 0, scope });
  scope.close();
  await assert.rejects(first, { kind: 'aborted' });
  assert.equal((await run(time, [model], quick, 31_000)).answer, 'yes');
  assert.equal(model.breaker.state, 'closed');
});

test('a wrong request does not count against the model, a model that throws at once does', async () => {
  const time = new VirtualTime();
  const wrong = new Model(time, [{ fail: failure('invalid-request') }]);
  for (let i = 0; i < 9; i++) await run(time, [wrong], quick, time.now() + 1);
  assert.equal(wrong.breaker.state, 'closed');
  const breaker = new Breaker(time, { failures: 1, openMs: 1000 });
  const broken: Candidate<string> = {
    name: 'broken',
    breaker,
    ask: () => {
      throw new TypeError('no');
    },
  };
  await assert.rejects(persist([broken], { clock: time, policy: quick, random: () => 0, scope: createScope() }), {
    name: 'ModelError',
    kind: 'internal',
  });
  assert.equal(breaker.state, 'open');
});

test('scopes: stopping reaches all below, closing leaves nothing above', () => {
  const root = createScope();
  const child = root.child();
  const grandchild = child.child();
  const other = root.child();
  child.close();
  assert.deepEqual(
    [child, grandchild, other, root].map((s) => s.signal.aborted),
    [true, true, false, false],
  );
  root.close();
  assert.ok(other.signal.aborted);
  assert.ok(root.child().signal.aborted, 'a child of what has stopped');
});

test('errors of any kind become one', () => {
  const known = failure('quota');
  assert.equal(asModelError(known, 'x'), known);
  const other = asModelError('text', 'x');
  assert.deepEqual([other.kind, other.source, other.retryable], ['internal', 'x', false]);
});
