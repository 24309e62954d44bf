// While a room is joined: asks whether it is still there. The SDK waits 15 s for one that was deleted meanwhile, and the server need not
// tell us.
import type { LineClock } from './voice-line.ts';

export interface JoinWatch {
  readonly clock: LineClock;
  readonly everyMs: number;
  readonly isThere: () => Promise<boolean>;
  readonly gone: () => void;
}

/** Returns how to end it. A question that is not answered is asked again. */
export function watchJoin({ clock, everyMs, isThere, gone }: JoinWatch): () => void {
  let isOver = false;
  let cancel = () => {};
  const answered = (there: boolean) => {
    if (isOver) return;
    if (there) check();
    else gone();
  };
  const check = () => {
    cancel = clock.setTimer(() => {
      isThere().then(answered, () => answered(true));
    }, everyMs);
  };
  check();
  return () => {
    isOver = true;
    cancel();
  };
}
