// Addresses of one server, and how long to wait before the next attempt.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverAddresses } from '../../../src/livekit/addresses.ts';
import { backoffMs } from '../../../src/livekit/backoff.ts';

test('every spelling of a server gives the same three addresses', () => {
  const plain = { rooms: 'ws://h:7880', worker: 'ws://h:7880/agent', api: 'http://h:7880' };
  for (const server of ['ws://h:7880', 'ws://h:7880/', 'http://h:7880', 'http://h:7880//'])
    assert.deepEqual(serverAddresses(server), plain, server);
  const based = { rooms: 'wss://h/base', worker: 'wss://h/base/agent', api: 'https://h/base' };
  for (const server of ['wss://h/base', 'wss://h/base/', 'https://h/base'])
    assert.deepEqual(serverAddresses(server), based, server);
  assert.equal(serverAddresses('wss://h/a/b?worker_token=x%20y').worker, 'wss://h/a/b/agent?worker_token=x%20y');
  assert.equal(serverAddresses('wss://h/?worker_token=x').rooms, 'wss://h');
  assert.equal(serverAddresses('ws://[::1]:7880').worker, 'ws://[::1]:7880/agent');
});

test('what is no server is refused with a reason', () => {
  for (const server of ['', 'h:7880', 'ftp://h', '//h', 'file:///x'])
    assert.throws(() => serverAddresses(server), /written ws:\/\/HOST:PORT/, server);
});

test('waits double up to their cap, and are spread between half and all of it', () => {
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 6, 1000].map((n) => backoffMs(n, 0)),
    [250, 500, 1000, 2000, 4000, 5000, 5000, 5000],
  );
  assert.ok(backoffMs(3, 0.999_999) < 4000 && backoffMs(3, 0.999_999) > 3999);
});
