// The watch over a dispatch, on virtual time: agents that come, come late, never come; servers that fail.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LiveKitApiError } from '../../../src/livekit/api-error.ts';
import { type SummonOptions, summonAgent } from '../../../src/livekit/dispatch-watch.ts';
import { createVirtualClock } from '../worker/virtual-clock.ts';

/** A server that notes what it is asked; the agent is there once `present` says so. */
function createApi(
  present: (nowMs: number, dispatches: number) => boolean,
  fail: Partial<Record<string, () => Error>> = {},
) {
  const clock = createVirtualClock();
  const startMs = clock.now();
  const asked: string[] = [];
  let made = 0;
  let looks = 0;
  const check = (what: string) => {
    const error = fail[what]?.();
    if (error !== undefined) throw error;
  };
  const api: SummonOptions['api'] = {
    dispatch: {
      async create(room, { agentName, metadata = '' }) {
        check('create');
        made++;
        asked.push(`create ${room} ${agentName} ${metadata} at ${clock.now() - startMs}`);
        return { id: `AD_${made}`, room, agentName, metadata, jobs: 0 };
      },
      list: async () => [],
      async delete(room, id) {
        asked.push(`delete ${room} ${id} at ${clock.now() - startMs}`);
        check('delete');
      },
    },
    rooms: {
      list: async () => [],
      create: async () => assert.fail('no room is made'),
      delete: async () => {},
      async participants() {
        looks++;
        check('participants');
        const others = [
          { sid: 'PA_0', identity: 'caller', isAgent: false, agentName: '' },
          { sid: 'PA_1', identity: 'other', isAgent: true, agentName: 'otto' },
        ];
        const own = { sid: 'PA_2', identity: 'anna-1', isAgent: true, agentName: 'anna' };
        return present(clock.now() - startMs, made) ? [...others, own] : others;
      },
    },
  };
  const summon = (more: Partial<SummonOptions> = {}) =>
    summonAgent({ api, room: 'desk', agentName: 'anna', metadata: 'm', withinMs: 2000, clock, ...more });
  return { clock, asked, summon, looks: () => looks };
}

test('an agent that comes in time is found by its name, not by being an agent', async () => {
  const { clock, asked, summon } = createApi((nowMs) => nowMs >= 600);
  const done = summon();
  await clock.advance(750);
  assert.deepEqual(await done, { dispatchId: 'AD_1', identity: 'anna-1', attempts: 1, waitedMs: 750 });
  assert.deepEqual(asked, ['create desk anna m at 0']);
  assert.equal(clock.pending, 0);
});

test('when none comes the dispatch is taken back before the next is made', async () => {
  const { clock, asked, summon } = createApi((_, made) => made === 2);
  const done = summon();
  await clock.advance(3000);
  assert.deepEqual(await done, { dispatchId: 'AD_2', identity: 'anna-1', attempts: 2, waitedMs: 2000 });
  assert.deepEqual(asked, ['create desk anna m at 0', 'delete desk AD_1 at 2000', 'create desk anna m at 2000']);
});

test('it gives up after the last attempt, and leaves that one standing', async () => {
  const { clock, asked, summon } = createApi(() => false);
  const done = summon({ attempts: 3 });
  await clock.advance(6000);
  assert.deepEqual(await done, { dispatchId: 'AD_3', identity: undefined, attempts: 3, waitedMs: 6000 });
  assert.equal(asked.length, 5);
});

test('a room or a dispatch that is gone is no failure; a server that refuses is one', async () => {
  const gone = () => new LiveKitApiError('not-found', 'gone');
  const lost = createApi((_, made) => made === 2, { delete: gone });
  const done = lost.summon();
  await lost.clock.advance(2000);
  assert.equal((await done).attempts, 2);
  const empty = createApi(() => false, { participants: gone });
  const never = empty.summon({ attempts: 1 });
  await empty.clock.advance(2000);
  assert.equal((await never).identity, undefined);
  for (const what of ['create', 'participants', 'delete']) {
    const broken = createApi(() => false, { [what]: () => new LiveKitApiError('auth', 'no') });
    const failing = assert.rejects(broken.summon(), { name: 'LiveKitApiError', kind: 'auth' });
    await broken.clock.advance(2000);
    await failing;
    assert.equal(broken.clock.pending, 0);
  }
});

test('whoever asked may stop waiting', async () => {
  const { clock, summon, looks } = createApi(() => false);
  const controller = new AbortController();
  const done = assert.rejects(summon({ signal: controller.signal }), /caller hung up/);
  await clock.advance(600);
  controller.abort(new Error('caller hung up'));
  await done;
  const before = looks();
  await clock.advance(60_000);
  assert.equal(looks(), before);
  await assert.rejects(summon({ signal: controller.signal }), /caller hung up/);
});
