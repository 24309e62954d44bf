// An agent for the tests of jobs: decides what it takes and who it is, and shows in its attributes what it was told of job and room.
import { defineAgent, jobOf, roomOf } from 'syrinx';

export default defineAgent({
  name: 'desk',
  instructions: 'Be brief.',
  accept: ({ metadata, attributes }) =>
    metadata === 'no'
      ? { accept: false }
      : { accept: true, identity: `desk-${attributes.order}`, name: 'The desk', attributes: { mood: 'calm' } },
  onSession(session) {
    const job = jobOf(session);
    const room = roomOf(session);
    const { roomName, identity, caller } = room ?? {};
    room?.setAttributes({ told: JSON.stringify({ job, roomName, identity, caller: caller?.identity }) });
    session.on('session_stopped', ({ reason }) => console.log(`stopped: ${reason}`));
  },
});
