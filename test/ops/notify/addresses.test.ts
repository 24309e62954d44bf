// Where nothing may be sent: this machine, its network, its cloud's metadata, however the address is written.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlockedAddressError, checkAddress } from '../../../src/ops/notify/index.ts';
import { webhookChannel } from '../../../src/ops/notify/index.ts';
import { notification } from './notices.ts';

const PUBLIC = () => Promise.resolve(['93.184.216.34', '2606:2800:220:1::1']);
const allowed = async (
  url: string,
  allowPrivate = false,
  resolve: (name: string) => Promise<readonly string[]> = PUBLIC,
) => {
  try {
    await checkAddress(new URL(url), { allowPrivate }, resolve);
    return true;
  } catch (error) {
    assert.ok(error instanceof BlockedAddressError);
    return false;
  }
};

test('public addresses pass, private ones only where that is allowed', async () => {
  for (const url of [
    'https://hook.example/',
    'https://93.184.216.34/',
    'https://[2606:2800:220:1::1]/',
    'https://hook.example:8443/x',
  ]) {
    assert.equal(await allowed(url), true, url);
  }
  const own = [
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f.0.0.1/',
    'https://0177.0.0.1/',
    'https://10.1.2.3/',
    'https://172.31.0.1/',
    'https://192.168.0.1/',
    'https://100.64.0.1/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:0a01:0203]/',
    'https://[64:ff9b::10.0.0.1]/',
    'https://[2002:7f00:1::]/',
    'https://[fd12:3456::1]/',
    'https://localhost/',
    'https://LOCALHOST./',
    'https://db.internal/',
    'https://printer.local/',
  ];
  for (const url of own) {
    assert.equal(await allowed(url), false, url);
    assert.equal(await allowed(url, true), true, `${url} where it is allowed`);
  }
  assert.equal(await allowed('http://hook.example/'), false);
  assert.equal(await allowed('http://hook.example/', true), true);
});

test('metadata services, link-local and reserved addresses never pass', async () => {
  const never = [
    'https://169.254.169.254/',
    'https://[::ffff:169.254.169.254]/',
    'https://[fe80::1]/',
    'https://[fd00:ec2::254]/',
    'https://100.100.100.200/',
    'https://0.0.0.0/',
    'https://224.0.0.1/',
    'https://255.255.255.255/',
    'https://[::]/',
    'https://[ff02::1]/',
    'https://[2001:db8::1]/',
    'https://user:password@hook.example/',
    'ftp://hook.example/',
    'file:///etc/passwd',
  ];
  for (const url of never) for (const open of [false, true]) assert.equal(await allowed(url, open), false, url);
});

test('a name counts for all of its addresses', async () => {
  const to = (...addresses: string[]) => allowed('https://hook.example/', false, () => Promise.resolve(addresses));
  assert.equal(await to('93.184.216.34', '10.0.0.1'), false);
  assert.equal(await to('169.254.169.254'), false);
  assert.equal(await to('not an address'), false);
  assert.equal(await to('1:2:3'), false);
  assert.equal(await to('93.184.216.34'), true);
});

test('a blocked address is refused for good, before anything is sent', async () => {
  let asked = 0;
  const port = { wallNow: () => 0, post: () => Promise.reject(new Error(String(++asked))), resolve: PUBLIC };
  const outcome = await webhookChannel({ url: 'https://169.254.169.254/latest' }, port)(
    notification(),
    new AbortController().signal,
  );
  assert.deepEqual([outcome.kind, asked], ['rejected', 0]);
  const odd = await webhookChannel({ url: 'no url' }, port)(notification(), new AbortController().signal);
  assert.deepEqual([odd.kind, asked], ['rejected', 0]);
});
