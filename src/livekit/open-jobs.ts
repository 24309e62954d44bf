// The jobs behind the calls that are running, for agents that want to know what they were sent for.
import type { JobDescription } from './job.ts';

const open = new Map<string, JobDescription>();

/** Returns how to take it away. */
export function openJob(sessionId: string, job: JobDescription): () => void {
  const { id, type, room, participant, metadata, attributes, agentName, dispatchId } = job;
  // No token and no way to end it: those are the worker's.
  open.set(sessionId, { id, type, room, participant, metadata, attributes, agentName, dispatchId });
  return () => void open.delete(sessionId);
}

/**
 * What the dispatch of a running call carried: metadata, attributes, room, and whom the job is about. Give it the session that a tool
 * or `onSession` was given.
 *
 * @returns undefined for calls that did not come from LiveKit, and after the end.
 */
export function jobOf(session: { readonly id: string }): JobDescription | undefined {
  return open.get(session.id);
}
