// What a client must not do, and what happens then: a counted drop, a word to the client, or the end of that call alone.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createWorld, packet } from './fixture.ts';

describe('broken frames', () => {
  it('of odd size are dropped, told once, leave a gap, and end the call in the end', () => {
    const world = createWorld();
    const { socket, session } = world.call();
    socket.handler.bytes(new Uint8Array(641));
    socket.handler.bytes(packet());
    assert.deepEqual(
      session.packets.map((p) => p.position),
      [320],
    );
    for (let i = 1; i < 9; i++) socket.handler.bytes(new Uint8Array(1));
    assert.deepEqual(socket.codes(), ['odd_frame']);
    assert.equal(socket.closed, null);
    socket.handler.bytes(new Uint8Array(3));
    assert.deepEqual(socket.closed, { code: 1003, reason: 'odd_frames' });
    assert.deepEqual(session.log, ['close odd_frames']);
    assert.equal(world.calls.counts.oddFrames, 10);
  });
  it('of more than a second, or of more than 64 KiB, close the call', () => {
    for (const [query, limit] of [
      ['?rate=8000', 16_000],
      ['?rate=16000', 32_000],
      ['?rate=48000', 65_536],
    ] as const) {
      const world = createWorld();
      const { socket, session } = world.call(query);
      socket.handler.bytes(new Uint8Array(limit));
      assert.equal(session.packets.length, 1);
      socket.handler.bytes(new Uint8Array(limit + 2));
      assert.equal(socket.closed?.code, 1009, query);
      assert.deepEqual(session.log, ['close frame_too_large']);
      assert.equal(session.packets.length, 1);
      assert.equal(world.calls.counts.oversizedFrames, 1);
    }
  });
  it('that are empty mean nothing', () => {
    const { socket, session } = createWorld().call();
    socket.handler.bytes(new Uint8Array(0));
    assert.equal(session.packets.length, 0);
    assert.equal(socket.closed, null);
  });
  it('before hello are refused', () => {
    const socket = createWorld().connect();
    for (let i = 0; i < 9; i++) socket.handler.bytes(packet());
    assert.deepEqual(socket.codes(), Array(9).fill('no_hello'));
    socket.handler.bytes(packet());
    assert.equal(socket.closed?.code, 1007);
  });
});

describe('broken messages', () => {
  const broken = [
    '',
    '{',
    'null',
    '[]',
    '"text"',
    '{"type":5}',
    '{"type":"text"}',
    '{"type":"text","text":""}',
    JSON.stringify({ type: 'text', text: 'x'.repeat(4001) }),
    '{"type":"dtmf","digit":"12"}',
    '{"type":"dtmf","digit":"E"}',
    '{"type":"played","position":-1}',
    '{"type":"played","position":1.5}',
    '{"type":"played","position":"1"}',
    '{"type":"played","position":1e300}',
    '{"type":"hello"}',
    `{"type":"text","text":"${'y'.repeat(17_000)}"}`,
  ];
  for (const text of broken) {
    it(`are answered with an error: ${text.slice(0, 40)}`, () => {
      const { socket, session } = createWorld().call();
      socket.handler.text(text);
      assert.deepEqual(socket.codes(), ['bad_message']);
      assert.equal(socket.closed, null);
      assert.deepEqual(session.log, []);
    });
  }
  it('close the connection when there are too many', () => {
    const world = createWorld();
    const { socket, session } = world.call();
    for (let i = 0; i < 10; i++) socket.handler.text('{');
    assert.equal(socket.closed?.code, 1007);
    assert.deepEqual(session.log, ['close too_many_mistakes']);
    assert.equal(world.calls.counts.malformedMessages, 10);
  });
  it('of unknown types are counted and ignored', () => {
    const world = createWorld();
    const { socket, session } = world.call();
    for (let i = 0; i < 50; i++) socket.json({ type: 'wave', from: 'the future' });
    assert.deepEqual(socket.order, ['ready']);
    assert.deepEqual(session.log, []);
    assert.equal(world.calls.counts.unknownMessages, 50);
  });
  it('that are huge close the connection', () => {
    const { socket } = createWorld().call();
    socket.handler.text('x'.repeat(70_000));
    assert.equal(socket.closed?.code, 1009);
  });
  it('of whatever form never throw, and never reach the session half-read', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc.object().map((o) => JSON.stringify({ type: 'played', ...o })),
    );
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 15 }), (texts) => {
        const { socket, session } = createWorld().call('?rate=8000&reportsPlayed=1');
        for (const text of texts) socket.handler.text(text);
        return session.log.every((line) => /^(played \d+|close too_many_mistakes)$/.test(line));
      }),
    );
  });
});

describe('floods', () => {
  it('of audio are thinned to three times real time, told once, and closed when they go on', () => {
    const world = createWorld();
    const { socket, session } = world.call();
    const second = packet(1, 16_000);
    // A client that catches up after a pause of its network may send some seconds at once.
    for (let i = 0; i < 6; i++) socket.handler.bytes(second);
    assert.deepEqual(socket.codes(), []);
    socket.handler.bytes(second);
    assert.deepEqual(socket.codes(), ['too_fast']);
    assert.equal(world.calls.counts.shedInputSamples, 16_000);
    // What was dropped is a gap on the caller's clock.
    world.clock.advance(1000);
    socket.handler.bytes(packet());
    assert.equal(session.packets.at(-1)?.position, 7 * 16_000);
    for (let i = 0; i < 40; i++) socket.handler.bytes(second);
    assert.deepEqual(socket.closed, { code: 1008, reason: 'audio_flood' });
    assert.deepEqual(session.log, ['close audio_flood']);
    assert.deepEqual(socket.codes(), ['too_fast', 'audio_flood']);
  });
  it('of audio just above the limit end after some seconds', () => {
    const { clock, connect } = createWorld();
    const socket = connect('?rate=16000');
    let elapsedMs = 0;
    while (!socket.closed && elapsedMs < 60_000) {
      for (let i = 0; i < 4; i++) socket.handler.bytes(packet());
      clock.advance(20);
      elapsedMs += 20;
    }
    assert.equal(socket.closed?.code, 1008);
    // Six seconds of slack fill at one second a second; then three seconds of patience.
    assert.ok(elapsedMs > 8000 && elapsedMs < 10_000, String(elapsedMs));
  });
  it('are not what a real-time caller does, however long', () => {
    const world = createWorld();
    const { socket, session } = world.call();
    for (let i = 0; i < 5000; i++) {
      socket.handler.bytes(packet());
      world.clock.advance(20);
    }
    assert.equal(session.packets.length, 5000);
    assert.deepEqual(socket.order, ['ready']);
  });
  it('of messages are shed, and closed when they go on', () => {
    const world = createWorld();
    const { socket, session } = world.call();
    for (let i = 0; i < 301; i++) socket.json({ type: 'dtmf', digit: '1' });
    assert.equal(session.log.length, 300);
    assert.deepEqual(socket.codes(), ['too_many_messages']);
    for (let i = 0; i < 300; i++) socket.json({ type: 'dtmf', digit: '1' });
    assert.equal(socket.closed?.code, 1008);
    assert.equal(world.calls.counts.shedMessages, 300);
  });
});

describe('slow and silent clients', () => {
  it('lose audio above the bound, are told where it goes on, and are let go in the end', () => {
    const world = createWorld();
    const { socket, session } = world.call();
    const { transport } = session;
    socket.bufferedAmount = 524_289;
    transport.play(new Int16Array(320));
    world.clock.advance(5000);
    transport.play(new Int16Array(320));
    assert.deepEqual(socket.order, ['ready', 'error']);
    assert.equal(world.calls.counts.shedOutputSamples, 640);
    socket.bufferedAmount = 1000;
    transport.play(new Int16Array(320));
    assert.deepEqual(socket.order.slice(2), ['position', 'audio 320']);
    assert.equal(socket.of('position')[0]?.position, 640);
    socket.bufferedAmount = 600_000;
    transport.play(new Int16Array(320));
    world.clock.advance(10_000);
    transport.play(new Int16Array(320));
    // Not while the session is playing.
    assert.equal(socket.closed, null);
    world.clock.advance(0);
    assert.deepEqual(socket.closed, { code: 1013, reason: 'reader too slow' });
    assert.deepEqual(session.log, ['close reader too slow']);
    assert.equal(world.clock.timers, 0);
  });
  it('are dropped after a minute of silence; any message keeps them', () => {
    const world = createWorld();
    const { socket, session } = world.call();
    world.clock.advance(50_000);
    socket.json({ type: 'ping' });
    world.clock.advance(59_999);
    assert.equal(socket.closed, null);
    world.clock.advance(1);
    assert.deepEqual(socket.closed, { code: 4008, reason: 'idle' });
    assert.deepEqual(session.log, ['close idle']);
    assert.equal(world.clock.timers, 0);
  });
  it('whose socket throws are waited for like lost ones', () => {
    const world = createWorld();
    const { socket, session } = world.call();
    socket.isBroken = true;
    session.transport.play(new Int16Array(320));
    session.transport.notify({ type: 'state', state: 'listening' });
    socket.handler.closed(1006);
    assert.deepEqual(session.log, []);
    assert.equal(world.connect('?resume=token-1').of('ready')[0]?.outputPosition, 320);
  });
});

describe('churn', () => {
  it('leaves no call and no timer behind', () => {
    const world = createWorld();
    for (let i = 0; i < 2000; i++) {
      const { socket, session } = world.call();
      socket.handler.bytes(packet());
      if (i % 4 === 0) socket.json({ type: 'bye' });
      else if (i % 4 === 1) session.transport.close('done');
      else if (i % 4 === 2) socket.close(1000);
      else socket.handler.closed(undefined);
    }
    assert.equal(world.calls.size, 500);
    world.clock.advance(30_000);
    assert.equal(world.calls.size, 0);
    assert.equal(world.clock.timers, 0);
    assert.equal(world.calls.counts.calls, 2000);
    assert.equal(world.calls.counts.lost, 500);
  });
});
