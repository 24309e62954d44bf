// What `syrinx/livekit` gives to programs: everything that starts and steers calls, and nothing native.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as own from '../../../src/livekit/index.ts';
import * as whole from '../../../src/index.ts';

test('the list of names is the one that is documented', () => {
  assert.deepEqual(Object.keys(own).sort(), [
    'LiveKitApiError',
    'callerToken',
    'createLiveKitApi',
    'createWebhookGate',
    'summonAgent',
  ]);
  assert.equal(typeof whole.jobOf, 'function');
  assert.equal(whole.jobOf({ id: 'no such session' }), undefined);
});
