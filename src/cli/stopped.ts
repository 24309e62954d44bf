// When a program is told to stop: by signals of a person, by its supervisor, or by the end of that.
import type { Host } from '../hosts/port.ts';
import { EXIT } from './exit-codes.ts';
import { HURRY, NUMBER_VARIABLE } from './processes/processes.ts';

export interface Stopped {
  /** Told to stop. */
  readonly first: Promise<void>;
  /** Told not to wait for the calls any more. */
  readonly second: Promise<void>;
  signalled(): boolean;
}

/** The first signal asks, the second insists, the third waits for nothing. */
export function untilStopped(host: Host): Stopped {
  let signals = 0;
  let one: () => void = () => {};
  let two: () => void = () => {};
  const first = new Promise<void>((resolve) => {
    one = resolve;
  });
  const second = new Promise<void>((resolve) => {
    two = resolve;
  });
  const stop = () => {
    signals++;
    one();
  };
  if (host.env[NUMBER_VARIABLE] === undefined) {
    host.onSignal(() => {
      if (signals === 2) host.exit(EXIT.general);
      if (signals === 1) two();
      stop();
    });
  } else {
    // Ctrl-C reaches all processes of a terminal, and some managers signal all of a group: only the supervisor insists.
    host.onSignal((name) => void (name === 'SIGTERM' && stop()));
    host.followParent((line) => void (line === HURRY && two()), stop);
  }
  return { first, second, signalled: () => signals > 0 };
}
