// Two agents of one program, for the tests: each says who it is and what it was dispatched with.
import { type AgentSession, defineAgent, jobOf } from 'syrinx';

function introduce(session: AgentSession): void {
  const job = jobOf(session);
  const attributes = Object.entries(job?.attributes ?? {}).map(([name, value]) => `${name} is ${value}`);
  session.say(`${session.agent} was sent with ${job?.metadata}, ${attributes.join()}.`);
}

export default [
  defineAgent({ name: 'anna', instructions: 'Be brief.', onSession: introduce }),
  defineAgent({ name: 'otto', instructions: 'Be brief.', onSession: introduce }),
];
