// A well-behaved WebSocket call: hello, audio both ways, positions, news, resumption, the end.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createWorld, FakeSession, packet } from './fixture.ts';

describe('hello', () => {
  it('may be written into the address', () => {
    const world = createWorld();
    const { socket, session } = world.call('?rate=8000&outputRateHz=24000&leadMs=60&reportsPlayed=1');
    assert.deepEqual(socket.messages, [
      {
        type: 'ready',
        version: 1,
        session: 'session-1',
        resume: 'token-1',
        resumed: false,
        resumeGraceMs: 30_000,
        inputRateHz: 8000,
        outputRateHz: 24_000,
        leadMs: 60,
        inputPosition: 0,
        outputPosition: 0,
      },
    ]);
    const { name, inputRateHz, outputRateHz, leadMs, reportsPlayed } = session.transport;
    assert.deepEqual([name, inputRateHz, outputRateHz, leadMs, reportsPlayed], ['websocket', 8000, 24_000, 60, true]);
  });
  it('may be the first message', () => {
    const world = createWorld();
    const socket = world.connect();
    assert.equal(world.sessions.length, 0);
    socket.json({ type: 'hello', version: 1, inputRateHz: 48_000, extra: 'ignored' });
    assert.equal(socket.of('ready')[0]?.inputRateHz, 48_000);
    assert.equal(world.sessions[0]?.transport.outputRateHz, 16_000);
    assert.equal(world.sessions[0]?.transport.reportsPlayed, false);
  });
  it('must come in time', () => {
    const world = createWorld();
    const socket = world.connect();
    world.clock.advance(9_999);
    assert.equal(socket.closed, null);
    world.clock.advance(1);
    assert.deepEqual(socket.closed, { code: 1008, reason: 'no_hello' });
    assert.equal(world.clock.timers, 0);
  });
  for (const query of ['?rate=44100', '?rate=x', '?rate=', '?inputRateHz=0', '?leadMs=5&rate=8000', '?leadMs=1e9']) {
    it(`is refused with a reason: ${query}`, () => {
      const world = createWorld();
      const socket = world.connect(query);
      assert.deepEqual(socket.codes(), ['bad_hello']);
      assert.equal(socket.closed?.code, 1008);
      assert.equal(world.sessions.length, 0);
      assert.equal(world.clock.timers, 0);
    });
  }
  it('is answered with the reason when the session is refused', () => {
    const world = createWorld({ start: () => ({ refused: 'all sessions are taken' }) });
    const socket = world.connect('?rate=8000');
    assert.equal(socket.of('error')[0]?.message, 'all sessions are taken');
    assert.equal(socket.closed?.code, 1013);
    assert.equal(world.calls.size, 0);
    assert.equal(world.clock.timers, 0);
  });
});

describe('the caller', () => {
  it('is heard packet by packet, with positions', () => {
    const { socket, session } = createWorld().call();
    socket.handler.bytes(packet(1));
    socket.handler.bytes(packet(2, 160));
    socket.handler.bytes(packet(3));
    assert.deepEqual(
      session.packets.map((p) => p.position),
      [0, 320, 480],
    );
    assert.deepEqual(session.packets[1]?.bytes, packet(2, 160));
  });
  it('may type, press keys and say what was heard', () => {
    const { socket, session } = createWorld().call('?rate=16000&reportsPlayed=true');
    session.transport.play(new Int16Array(1000));
    socket.json({ type: 'text', text: 'good day' });
    socket.json({ type: 'dtmf', digit: '#' });
    for (const position of [400, 300, 400, 1000, 5000]) socket.json({ type: 'played', position });
    // Never backwards, never past what was sent.
    assert.deepEqual(session.log, ['text good day', 'dtmf #', 'played 400', 'played 1000']);
  });
  it('need not report: then reports are ignored', () => {
    const { socket, session } = createWorld().call();
    session.transport.play(new Int16Array(100));
    socket.json({ type: 'played', position: 50 });
    assert.deepEqual(session.log, []);
  });
  it('gets pings answered', () => {
    const { socket } = createWorld().call();
    socket.json({ type: 'ping', id: 7 });
    assert.deepEqual(socket.of('pong'), [{ type: 'pong', id: 7 }]);
  });
  it('ends the call with bye, or with a normal close', () => {
    const world = createWorld();
    const one = world.call();
    one.socket.json({ type: 'bye', reason: 'done' });
    assert.deepEqual(one.session.log, ['close done']);
    assert.equal(one.socket.closed?.code, 1000);
    const two = world.call();
    two.socket.close(1000);
    assert.deepEqual(two.session.log, ['close hung up']);
    assert.equal(world.calls.size, 0);
    assert.equal(world.clock.timers, 0);
  });
});

describe('the agent', () => {
  it('is sent as it plays, byte for byte', () => {
    const { socket, session } = createWorld().call();
    const samples = Int16Array.from({ length: 20_000 }, (_, i) => (i * 7919) % 65_536);
    session.transport.play(samples.subarray(0, 320));
    session.transport.play(samples.subarray(320));
    assert.deepEqual(socket.order, ['ready', 'audio 320', 'audio 8192', 'audio 8192', 'audio 3296']);
    const got = Buffer.concat(socket.audio);
    assert.deepEqual(new Uint8Array(got), new Uint8Array(samples.buffer));
  });
  it('does not touch bytes that the network still has', () => {
    const { socket, session } = createWorld().call();
    const kept: Uint8Array[] = [];
    const send = socket.send.bind(socket);
    socket.send = (data) => {
      send(data);
      if (typeof data !== 'string') {
        kept.push(data);
        socket.bufferedAmount += data.length;
      }
    };
    for (let i = 1; i <= 300; i++) session.transport.play(new Int16Array(320).fill(i));
    assert.equal(kept.length, 300);
    kept.forEach((bytes, i) => assert.deepEqual(bytes, packet(i + 1)));
  });
  it('clears with the position at which new audio begins', () => {
    const { socket, session } = createWorld().call();
    session.transport.play(new Int16Array(640));
    session.transport.clear();
    session.transport.play(new Int16Array(320));
    assert.deepEqual(socket.order, ['ready', 'audio 640', 'clear', 'audio 320']);
    assert.equal(socket.of('clear')[0]?.position, 640);
  });
  it('passes on what happens', () => {
    const { socket, session } = createWorld().call();
    const notices = [
      { type: 'state', state: 'thinking' },
      { type: 'transcript', turn: 1, text: 'hello' },
      { type: 'reply', turn: 1, text: 'hi' },
      { type: 'interrupted', turn: 1, heard: 'h' },
      { type: 'turn', ledger: { turn: 1 } },
      { type: 'error', code: 'llm', message: 'gone' },
    ] as const;
    for (const notice of notices) session.transport.notify(notice);
    assert.deepEqual(socket.messages.slice(1), notices);
  });
  it('may speak while the session is being started, after ready', () => {
    const world = createWorld({
      start(transport) {
        const samples = new Int16Array(320).fill(9);
        transport.notify({ type: 'state', state: 'agent-speaking' });
        transport.play(samples);
        samples.fill(0);
        return { input: new FakeSession(transport), session: 's' };
      },
    });
    const socket = world.connect('?rate=16000');
    assert.deepEqual(socket.order, ['ready', 'state', 'audio 320']);
    assert.deepEqual(socket.audio[0], packet(9));
  });
  it('ends the call once, with a goodbye', () => {
    const world = createWorld();
    const { socket, session } = world.call();
    session.transport.close('finished');
    session.transport.close('again');
    session.transport.play(new Int16Array(320));
    session.transport.notify({ type: 'state', state: 'listening' });
    session.transport.clear();
    assert.deepEqual(socket.order, ['ready', 'bye']);
    assert.deepEqual(socket.closed, { code: 1000, reason: 'finished' });
    assert.deepEqual(session.log, []);
    assert.equal(world.calls.size, 0);
    assert.equal(world.clock.timers, 0);
  });
  it('tells all clients when the server stops', () => {
    const world = createWorld();
    const one = world.call();
    const two = world.call();
    two.socket.close(1006);
    world.calls.stop();
    assert.deepEqual(one.socket.closed, { code: 1001, reason: 'server is stopping' });
    assert.deepEqual(one.session.log, ['close server is stopping']);
    assert.deepEqual(two.session.log, ['close server is stopping']);
    assert.equal(world.clock.timers, 0);
  });
});

describe('a lost connection', () => {
  it('is waited for, then the call ends', () => {
    const world = createWorld();
    const { socket, session } = world.call();
    socket.close(1006);
    world.clock.advance(29_999);
    assert.deepEqual(session.log, []);
    world.clock.advance(1);
    assert.deepEqual(session.log, ['close connection lost']);
    assert.equal(world.calls.counts.lost, 1);
    assert.equal(world.calls.size, 0);
    assert.equal(world.clock.timers, 0);
  });
  it('is resumed: positions go on by the time that passed, missed news come, missed audio does not', () => {
    const world = createWorld();
    const { socket, session } = world.call();
    socket.handler.bytes(packet());
    session.transport.play(new Int16Array(320));
    // Some hosts do not tell the code.
    socket.handler.closed(undefined);
    world.clock.advance(1500);
    session.transport.play(new Int16Array(480));
    session.transport.notify({ type: 'state', state: 'thinking' });
    session.transport.notify({ type: 'reply', turn: 1, text: 'hello' });
    session.transport.notify({ type: 'state', state: 'listening' });
    const again = world.connect('?resume=token-1');
    const ready = again.of('ready')[0];
    assert.deepEqual(
      [ready?.session, ready?.resumed, ready?.inputPosition, ready?.outputPosition],
      ['session-1', true, 320 + 24_000, 800],
    );
    again.handler.bytes(packet(5));
    session.transport.play(new Int16Array(160));
    assert.deepEqual(again.order, ['ready', 'reply', 'state', 'audio 160']);
    assert.equal(again.of('state')[0]?.state, 'listening');
    assert.deepEqual(
      session.packets.map((p) => p.position),
      [0, 24_320],
    );
    assert.equal(world.calls.counts.shedOutputSamples, 480);
    world.clock.advance(40_000);
    assert.deepEqual(session.log, []);
    assert.equal(world.sessions.length, 1);
  });
  it('that nobody noticed is taken over', () => {
    const world = createWorld();
    const { socket, session } = world.call();
    const again = world.connect();
    again.json({ type: 'hello', resume: 'token-1' });
    assert.equal(socket.closed?.code, 4001);
    assert.equal(again.of('ready')[0]?.resumed, true);
    socket.handler.bytes(packet(1));
    socket.json({ type: 'bye' });
    again.handler.bytes(packet(2));
    assert.deepEqual(
      session.packets.map((p) => p.bytes[0]),
      [2],
    );
    assert.deepEqual(session.log, []);
    assert.equal(world.calls.size, 1);
  });
  it('gives way to its client in a full house, whichever way the token comes', () => {
    const world = createWorld();
    const isResume = (query: string) => world.calls.isResume(new URL(`ws://x/call${query}`));
    const { socket } = world.call();
    assert.deepEqual([isResume(''), isResume('?rate=8000'), isResume('?resume=token-1')], [false, false, true]);
    socket.close(1006);
    assert.deepEqual([isResume(''), isResume('?rate=8000'), isResume('?resume=guess')], [true, false, false]);
    world.clock.advance(30_000);
    assert.equal(isResume(''), false);
  });
  it('cannot be resumed with a wrong token, or after the end', () => {
    const world = createWorld();
    const { socket } = world.call();
    const wrong = world.connect('?resume=guess');
    assert.deepEqual(wrong.codes(), ['unknown_call']);
    assert.equal(wrong.closed?.code, 4004);
    socket.json({ type: 'bye' });
    assert.equal(world.connect('?resume=token-1').closed?.code, 4004);
    assert.equal(world.sessions.length, 1);
  });
  it('keeps a bounded number of news', () => {
    const world = createWorld();
    const { socket, session } = world.call();
    socket.close(1006);
    for (let turn = 1; turn <= 40; turn++) session.transport.notify({ type: 'reply', turn, text: 'x' });
    const again = world.connect('?resume=token-1');
    assert.deepEqual(
      again.of('reply').map((m) => m.turn),
      Array.from({ length: 32 }, (_, i) => i + 9),
    );
    assert.equal(world.calls.counts.missedNotices, 8);
  });
  it('may be ended by the session meanwhile', () => {
    const world = createWorld();
    const { socket, session } = world.call();
    socket.close(1006);
    session.transport.close('finished');
    assert.equal(world.calls.size, 0);
    assert.equal(world.clock.timers, 0);
  });
});
