// Whoever is paged, and whatever answers over HTTP, in a process of its own: what answering costs belongs to nobody's operations.
// Tells its port and, when its input ends, how many pages there were: what was posted to `/page`.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { waitForStart } from './child.ts';

let pages = 0;
const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    if (request.url === '/page') pages++;
    response.end('{}');
  });
});
await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
await waitForStart(String((server.address() as AddressInfo).port));
console.log(JSON.stringify(pages));
process.exit(0);
