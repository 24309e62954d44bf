// Whether speech over the agent's voice is an interruption.
import type { TurnOptions } from '../options.ts';

/** `voicedMs`: voiced time of the caller since the onset. Clicks and breaths stay below the limit. */
export function isBargeIn(options: TurnOptions, voicedMs: number): boolean {
  return voicedMs >= options.bargeInMs;
}
