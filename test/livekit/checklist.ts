// The worker's checklist row by row: what a worker should do better than LiveKit's own framework, and which tests hold it.
// Read like the specification's rows: `ID | what it says | path under test/ > part of a title; ...`.
import { type Page, type Row, rowsOf } from '../specification/rows.ts';

const TABLE = `
W-01 | Addresses are built with \`URL\`; base paths with and without a slash | livekit/worker/addresses.test.ts > every spelling of a server; livekit/worker/registration.test.ts > registers at once with everything
W-02 | Pings with a deadline; the server's own pings are read; silence counts as closed | livekit/worker/registration.test.ts > pings every 5 s; livekit/worker/socket.test.ts > pings of the server and answers to ours; livekit/worker/real-faults.test.ts > a server that is frozen
W-03 | Comes back for ever, with jitter and a cap; running calls go on; the counter starts again when registered | livekit/worker/registration.test.ts > comes back for ever; livekit/worker/real-server.test.ts > a server that is killed and comes back
W-04 | After a reconnect: registers, claims its running jobs, tells their number | livekit/worker/jobs.test.ts > an outage: running jobs go on
W-05 | Each job is reported: running, success, failed with its reason, a failed launch too | livekit/worker/jobs.test.ts > a launch that throws; e2e/livekit-start.test.ts > a hostile server
W-06 | Each offer is answered well inside 10 s; a handler that throws, hangs or says nothing is a no | livekit/worker/offers.test.ts > no, silence, a throw; livekit/worker/offers.test.ts > a handler that answers after its time
W-07 | A slot is taken when a job is accepted and given back when it is not assigned in 7.5 s; what comes later is failed | livekit/worker/jobs.test.ts > an assignment that never comes; livekit/worker/offers.test.ts > handlers that think at the same time; livekit/worker/orders.test.ts > each order of four messages
W-08 | Load: 0.7 exactly when full, at most 0.69 while one more call is welcome, told at once when it changes | livekit/worker/admission.test.ts > whatever happens: open exactly; livekit/worker/offers.test.ts > six offers at once; livekit/worker/real-dispatch.test.ts > a full worker gets no offer; livekit/worker/real-dispatch.test.ts > the configured target load
W-09 | The limit is one that is really used in production; 0 is a value | cli/admission/admission.test.ts > the limits that count; e2e/livekit-jobs.test.ts > exactly N of a burst
W-10 | Liveness never looks at LiveKit; readiness does: false while not registered, draining or full | e2e/livekit-start.test.ts > a server that comes late; e2e/livekit-jobs.test.ts > an agent decides; e2e/livekit-jobs.test.ts > exactly N of a burst
W-11 | Drain: full and not ready at once, calls may end, then are ended politely, then given up; hooks run on every path | livekit/worker/drain.test.ts > says full at once; livekit/worker/drain.test.ts > at the limit jobs; e2e/livekit-goodbye.test.ts > the caller hears the goodbye; e2e/livekit-jobs.test.ts > an agent decides
W-12 | A second signal shortens the drain and ends in order; a third ends at once | cli/stopped.test.ts > one signal asks; livekit/worker/drain.test.ts > a second call shortens; e2e/livekit-goodbye.test.ts > a second signal ends
W-13 | What calls share stops after the last of them | e2e/livekit-goodbye.test.ts > the caller hears the goodbye; e2e/livekit-start.test.ts > the call outlives SIGTERM
W-14 | The job that an agent sees is what its type says | livekit/worker/jobs.test.ts > an offer is taken; e2e/livekit-jobs.test.ts > an agent decides
W-15 | An option that exists does something | livekit/worker/registration.test.ts > registers at once with everything; livekit/worker/real-dispatch.test.ts > each namespace; livekit/worker/real-dispatch.test.ts > what an agent may do
W-16 | Protojson as a switch that makes the socket readable | livekit/worker/registration.test.ts > protojson can be spoken; livekit/worker/real-server.test.ts > the same in protojson
W-17 | A port in use, an unexpected first message, bad frames: an error with words, never an exception | cli/main.test.ts > failures become codes; livekit/worker/registration.test.ts > a first message that is no answer; livekit/worker/socket.test.ts > oversized frames; livekit/worker/any-order.test.ts > any order of messages
W-18 | The API secret stays where tokens are minted: not in jobs, logs, answers or errors | e2e/livekit-jobs.test.ts > an agent decides; e2e/livekit-start.test.ts > a hostile server; livekit/api/commands.test.ts > the secret is in neither
W-19 | Everything of it is measured | livekit/worker/instruments.test.ts > offers, answers; livekit/worker/instruments.test.ts > times are measured
W-20 | Termination is honoured and never relied on: what happens in the room ends the call | livekit/worker/jobs.test.ts > termination before the answer; livekit/worker/real-server.test.ts > deleting the dispatch; livekit/room/room-transport.test.ts > the caller hangs up
W-21 | A call that finds no worker is dispatched again; a full worker says so early | livekit/api/dispatch-watch.test.ts > when none comes; livekit/worker/real-server.test.ts > the seventh finds nobody
W-22 | A rejoin of our own after the SDK has given up, with a token we mint; the call survives it | livekit/room/room-outages.test.ts > the SDK gives up; livekit/room/real-room.test.ts > the server sends everybody away
W-23 | \`ParticipantDisconnected\` around our own reconnect is no hang-up | livekit/room/caller-link.test.ts > everybody is reported as gone; livekit/room/room-outages.test.ts > a full reconnect
W-24 | Silence of the line is found by its statistics: frames never stop | livekit/room/connection-quality.test.ts > silence of the line; livekit/room/real-room.test.ts > a frozen server
W-25 | A native client of our own: no log events, dispatch by handle, a pinned pair | livekit/room/native-client.test.ts > no log records; livekit/room/native-client.test.ts > frames go to their stream; livekit/room/native-client.test.ts > the installed pair
W-26 | Success is reported before the room is left | livekit/room/room-job.test.ts > success is reported before; livekit/worker/real-server.test.ts > a job that was reported first
W-27 | An agent can be dispatched before the caller is there | livekit/worker/real-server.test.ts > a room can be made with its agent; livekit/api/tokens.test.ts > agents ride on the token
`;

export const CHECKLIST: readonly Row[] = rowsOf(TABLE);

const HEAD = `# The worker's checklist

What a LiveKit worker should do better than the framework that exists, and the tests that hold it. Generated by
\`npm run specification -- livekit\` from \`test/livekit/checklist.ts\` and what the tests said; not to be edited by hand.
Tests named \`real-...\` and \`e2e/...\` run beside a real livekit-server; where there is none they say **not measured here**.
`;

export const CHECKLIST_PAGE: Page = {
  file: 'docs/livekit-checklist.md',
  head: HEAD,
  columns: 'row | what the worker does | proof | verdict',
  areas: { W: 'Worker and room' },
};
