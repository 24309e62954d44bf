// The supervisor on virtual time: what dies comes back with growing waits, what is hopeless is given up, the way down in order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSupervisor, readyLine } from '../../../src/cli/processes/processes.ts';
import { watchProcesses } from '../../../src/cli/processes/watch.ts';
import type { ChildExit, ChildProcess } from '../../../src/hosts/port.ts';
import { createVirtualClock, settle } from '../../livekit/worker/virtual-clock.ts';

class FakeChild implements ChildProcess {
  readonly pid: number;
  readonly number: number;
  readonly signals: string[] = [];
  readonly sent: string[] = [];
  #line: (line: string) => void = () => {};
  #exit: (exit: ChildExit) => void = () => {};
  readonly exited = new Promise<ChildExit>((resolve) => {
    this.#exit = resolve;
  });
  constructor(number: number, pid: number) {
    this.number = number;
    this.pid = pid;
  }
  onLine(handler: (line: string) => void): void {
    this.#line = handler;
  }
  send(line: string): void {
    this.sent.push(line);
  }
  kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.signals.push(signal);
  }
  says(line: string): void {
    this.#line(line);
  }
  serves(): this {
    this.says(readyLine(`http://127.0.0.1:${5000 + this.pid}/`));
    return this;
  }
  dies(exit: Partial<ChildExit> = {}): Promise<void> {
    this.#exit({ code: null, signal: 'SIGKILL', ...exit });
    return settle();
  }
}

function rig(count = 2) {
  const clock = createVirtualClock();
  const children: FakeChild[] = [];
  const printed: string[] = [];
  const log: string[] = [];
  const write = (message: string) => void log.push(message);
  const supervisor = createSupervisor({
    count,
    start(number) {
      const child = new FakeChild(number, children.length + 1);
      children.push(child);
      return child;
    },
    clock,
    random: () => 0.999,
    log: { info: write, warn: write, error: write },
    print: (line) => printed.push(line),
  });
  supervisor.start();
  const last = () => children.at(-1) as FakeChild;
  const states = () => supervisor.views().map(({ state, pid, restarts }) => [state, pid, restarts]);
  return { clock, children, printed, log, supervisor, last, states };
}

test('all are started, and serve when they say so; other lines are passed on', () => {
  const { children, printed, supervisor } = rig();
  assert.deepEqual(
    supervisor.views().map(({ number, state, url }) => [number, state, url]),
    [
      [1, 'starting', undefined],
      [2, 'starting', undefined],
    ],
  );
  children[0]?.says('hello from the agent');
  children[0]?.says('{"syrinx":"ready", broken');
  children[0]?.serves();
  assert.deepEqual(printed, ['hello from the agent', '{"syrinx":"ready", broken']);
  assert.equal(supervisor.views()[0]?.url, 'http://127.0.0.1:5001/');
  assert.equal(supervisor.views()[1]?.state, 'starting');
});

test('what dies is started again, the other is left alone; five deaths in a row are each mended within 5 s', async () => {
  const { clock, children, last, states } = rig();
  children[0]?.serves();
  children[1]?.serves();
  const waits: number[] = [];
  for (let death = 0; death < 6; death++) {
    await (death === 0 ? children[0] : last())?.dies();
    const before = children.length;
    let waited = 0;
    for (; children.length === before; waited += 10) await clock.advance(10);
    waits.push(waited);
    last().serves();
  }
  assert.deepEqual(waits, [250, 500, 1000, 2000, 4000, 8000]);
  assert.deepEqual(states(), [
    ['running', 8, 6],
    ['running', 2, 0],
  ]);
  assert.deepEqual(children[1]?.signals, []);
  await clock.advance(30_000);
  const before = children.length;
  await last().dies();
  await clock.advance(250);
  assert.equal(children.length, before + 1, 'one that was steady is no case for a longer wait');
});

test('a first start that another start would not mend ends it, with the code of the process', async () => {
  for (const code of [2, 4, 5]) {
    const { children, supervisor } = rig();
    children[0]?.serves();
    await children[1]?.dies({ code, signal: null });
    assert.equal(await supervisor.failed, code);
  }
  const { clock, children, supervisor, last } = rig();
  children[0]?.serves();
  await children[0]?.dies({ code: 1, signal: null });
  await clock.advance(300);
  // The key may have been changed on the server meanwhile: calls of the other go on.
  await last().dies({ code: 4, signal: null });
  const code = await Promise.race([supervisor.failed, settle().then(() => null)]);
  assert.equal(code, null);
});

test('where none has ever served, the third death in a row is the last', async () => {
  const { clock, supervisor, children, last } = rig(1);
  for (let i = 0; i < 3; i++) {
    await last().dies({ code: 1, signal: null });
    await clock.advance(3000);
  }
  assert.equal(await supervisor.failed, 1);
  assert.equal(children.length, 3);
});

test('one that does not come up, or does not answer, is killed', async () => {
  const { clock, children, supervisor } = rig();
  children[0]?.serves();
  await clock.advance(30_000);
  assert.deepEqual([children[0]?.signals, children[1]?.signals], [[], ['SIGKILL']]);
  supervisor.unanswered(1);
  assert.deepEqual(children[0]?.signals, ['SIGKILL']);
});

test('the way down: each is asked, then hurried, then killed; nothing is started any more', async () => {
  const { clock, children, supervisor, states } = rig(3);
  children[0]?.serves();
  children[1]?.serves();
  await children[2]?.dies();
  let isOver = false;
  void supervisor.drain(10_000).then(() => {
    isOver = true;
  });
  assert.deepEqual(
    children.map((one) => one.signals),
    [['SIGTERM'], ['SIGTERM'], []],
  );
  await children[0]?.dies({ code: 0, signal: null });
  supervisor.hurry();
  assert.deepEqual([children[0]?.sent, children[1]?.sent], [[], ['hurry']]);
  await clock.advance(10_000);
  assert.deepEqual(children[1]?.signals, ['SIGTERM', 'SIGKILL']);
  assert.equal(isOver, false);
  await children[1]?.dies();
  assert.equal(isOver, true);
  assert.equal(children.length, 3);
  assert.deepEqual(
    states().map(([state]) => state),
    ['gone', 'gone', 'gone'],
  );
});

test('each is asked once a second; calls go where most room is; one that is silent for long is given up', async () => {
  const { clock, children, supervisor } = rig();
  for (const child of children) child.serves();
  const busy = new Map([
    ['5001', 7],
    ['5002', 4],
  ]);
  const silent = new Set<string>();
  const seen: string[] = [];
  const watch = watchProcesses({
    supervisor,
    token: 'between-us',
    clock,
    fetch(url, init) {
      const { port, pathname } = new URL(url);
      seen.push(`${new Headers(init.headers).get('authorization')} ${pathname}`);
      if (silent.has(port)) return Promise.reject(new Error('timeout'));
      if (pathname !== '/health/ready') return Promise.resolve(Response.json({ status: 'healthy' }));
      return Promise.resolve(Response.json({ ready: true, services: [], active_jobs: busy.get(port), max_jobs: 10 }));
    },
  });
  const pause = async (ms: number) => {
    for (let i = 0; i < ms / 100; i++) {
      await clock.advance(100);
      // Bodies are read by the runtime's own machinery.
      await new Promise<void>((go) => setImmediate(go));
    }
  };
  assert.equal(watch.pick(), null, 'nothing is known yet');
  await pause(500);
  assert.ok(seen.every((one) => one.startsWith('Bearer between-us /')));
  assert.deepEqual(Array.from({ length: 10 }, watch.pick), [2, 2, 2, 1, 2, 1, 2, 1, 2, null]);
  await pause(2000);
  assert.equal(watch.pick(), 2, 'what was sent shows in what they say by now');
  silent.add('5002');
  await pause(2500);
  assert.deepEqual(
    watch.reports().map(({ ready, reason }) => [ready, reason]),
    [
      [true, undefined],
      [false, 'no answer'],
    ],
  );
  assert.equal(watch.pick(), 1);
  await pause(8000);
  assert.deepEqual(children[1]?.signals, ['SIGKILL']);
  watch.stop();
});
