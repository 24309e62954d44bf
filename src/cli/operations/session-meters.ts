// The meters of all running calls, and the one array of numbers that the monitor reads of them.
import type { ConnectionSample } from '../../livekit/room/connection-quality.ts';
import { type SessionRows, WIDTH } from '../../ops/monitor/index.ts';
import type { CallObserver } from '../../runner/call.ts';
import { type MeteredCall, SessionMeter } from './session-meter.ts';

/** Told of beginnings and ends. */
export interface MeterListener {
  opened(id: string): void;
  closed(id: string): void;
}
export interface Metered {
  /** The same observer, metered besides. */
  readonly observer: CallObserver;
  /** The call runs. */
  opened(): void;
}

export class SessionMeters {
  readonly #meters = new Map<string, SessionMeter>();
  /** The same, to go through four times a second without an iterator. */
  #list: readonly { readonly id: string; readonly meter: SessionMeter }[] = [];
  readonly #ids: string[] = [];
  #values: Float64Array = new Float64Array(0);
  #listener: MeterListener | undefined;

  /** Who is told of beginnings and ends. */
  follow(listener: MeterListener | undefined): void {
    this.#listener = listener;
  }

  get size(): number {
    return this.#meters.size;
  }

  observe(id: string, base: CallObserver): Metered {
    const meter = new SessionMeter();
    const observer: CallObserver = {
      ...base,
      telemetry(event, nowMs) {
        base.telemetry?.(event, nowMs);
        meter.telemetry(event);
      },
      frames(decided, late, latencyMs, tookMs, bytes) {
        base.frames?.(decided, late, latencyMs, tookMs, bytes);
        meter.frames(decided, latencyMs, tookMs);
      },
      attemptAnswered(stage, model, tookMs) {
        base.attemptAnswered?.(stage, model, tookMs);
        meter.answered(stage, tookMs);
      },
      attemptFailed(stage, model, kind, message) {
        base.attemptFailed?.(stage, model, kind, message);
        meter.failed(stage);
      },
      ended: (reason) => {
        if (this.#meters.delete(id)) {
          this.#list = this.#list.filter((one) => one.id !== id);
          this.#listener?.closed(id);
        }
        base.ended?.(reason);
      },
    };
    return {
      observer,
      opened: () => {
        this.#meters.set(id, meter);
        this.#list = [...this.#list.filter((one) => one.id !== id), { id, meter }];
        this.#listener?.opened(id);
      },
    };
  }

  /** A second of the line of a call in a room. */
  line(id: string | undefined, sample: ConnectionSample): void {
    if (id !== undefined) this.#meters.get(id)?.line(sample);
  }

  /** All rows, written over the ones before; what is summed up in between begins anew. */
  rows(calls: ReadonlyMap<string, MeteredCall>, epochMs: number): SessionRows {
    const needed = this.#meters.size * WIDTH;
    if (this.#values.length < needed) this.#values = new Float64Array(2 * needed);
    let rows = 0;
    for (let i = 0; i < this.#list.length; i++) {
      const { id, meter } = this.#list[i]!;
      const running = calls.get(id);
      if (running === undefined) continue;
      meter.write(this.#values, rows * WIDTH, running, epochMs);
      this.#ids[rows++] = id;
    }
    if (this.#ids.length > rows) this.#ids.length = rows;
    return { ids: this.#ids, values: this.#values };
  }
}
