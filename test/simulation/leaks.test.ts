// Nothing is left behind: thousands of calls return slots, timers, ticks and listeners.
import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import type { ToolDefinition } from '../../src/agent/tool.ts';
import { calls, writes } from './models.ts';
import { begin, checkNothingLeft, createWorld, type Scenario } from './simulated-call.ts';

const CALLS = 2000;
const AT_ONCE = 100;
const CALL_MS = 3000;

/** Calls that end at every point of a turn, some of them with a tool or a broken model. */
function scenario(n: number): Scenario {
  const tool: ToolDefinition = { name: 'slow', description: 'slow', run: () => new Promise(() => {}) };
  return {
    caller: [{ atMs: 100, ms: 400, text: 'hello' }],
    endMs: 200 + ((n * 131) % (CALL_MS - 300)),
    tools: [tool],
    llm: () => {
      if (n % 11 === 0) return [{ stall: true }];
      if (n % 7 === 0) return calls({ id: 'a', name: 'slow', arguments: '{}' });
      return writes('One two three four five six seven eight nine ten.');
    },
  };
}

/** Abort listeners that were added and not removed, over all signals. */
function countListeners(): { readonly open: () => number; restore(): void } {
  const { addEventListener, removeEventListener } = AbortSignal.prototype;
  const open = new WeakMap<AbortSignal, Set<unknown>>();
  const live = new Set<WeakKey>();
  let count = 0;
  AbortSignal.prototype.addEventListener = function (
    this: AbortSignal,
    type: string,
    listener: unknown,
    options?: unknown,
  ) {
    const own = open.get(this) ?? new Set();
    open.set(this, own);
    if (!this.aborted && !own.has(listener)) {
      own.add(listener);
      live.add(this);
      count++;
    }
    return Reflect.apply(addEventListener, this, [type, listener, options]);
  } as typeof addEventListener;
  AbortSignal.prototype.removeEventListener = function (this: AbortSignal, type: string, listener: unknown) {
    if (open.get(this)?.delete(listener) === true) count--;
    return Reflect.apply(removeEventListener, this, [type, listener]);
  } as typeof removeEventListener;
  return {
    // Listeners of a signal that was aborted have been called and go with it.
    open: () => {
      for (const signal of live) {
        const own = open.get(signal as AbortSignal);
        if (!(signal as AbortSignal).aborted || own === undefined) continue;
        count -= own.size;
        own.clear();
        live.delete(signal);
      }
      return count;
    },
    restore: () => Object.assign(AbortSignal.prototype, { addEventListener, removeEventListener }),
  };
}

test(`${CALLS} calls return slots, timers, ticks and listeners to the start, and reject nothing`, {
  timeout: 60_000,
}, async () => {
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', onUnhandled);
  const listeners = countListeners();
  try {
    const world = createWorld(AT_ONCE * 4);
    let ended = 0;
    for (let first = 0; first < CALLS; first += AT_ONCE) {
      const fromMs = world.time.now();
      const started = Array.from({ length: AT_ONCE }, (_, i) =>
        begin(world, { ...scenario(first + i), unrecorded: true }),
      );
      assert.ok(world.core.slotsInUse >= AT_ONCE);
      await world.time.runTo(fromMs + 1200);
      assert.ok(listeners.open() > 0, 'the count does not count');
      await world.time.runTo(fromMs + CALL_MS);
      ended += (await Promise.all(started.map(({ call }) => call.done))).filter((r) => r === 'caller hung up').length;
      assert.equal(world.core.slotsInUse, 0);
      assert.equal(world.ticker.size, 0);
    }
    assert.equal(ended, CALLS);
    await world.time.runTo(world.time.now() + 61_000);
    checkNothingLeft(world);
    assert.equal(listeners.open(), 0, 'abort listeners are left');
    assert.deepEqual(unhandled, []);
  } finally {
    listeners.restore();
    process.off('unhandledRejection', onUnhandled);
  }
});
