// What the history tells of itself.
import type { Registry } from '../../metrics/index.ts';

export interface HistoryInstruments {
  /** Bytes of sealed blocks, on disk and in memory. */
  size(bytes: number): void;
  /** 1 while minutes reach the disk. */
  writing(yes: boolean): void;
  failed(): void;
  setAside(): void;
  seriesDropped(): void;
  /** Hours that were given up because neither disk nor memory had room. */
  lost(): void;
}

export function createHistoryInstruments(registry: Registry): HistoryInstruments {
  const counter = (name: string, help: string) =>
    registry.counter({ name: `syrinx.history.${name}`, help, unit: '1' }).labels();
  const size = registry
    .gauge({ name: 'syrinx.history.size', help: 'Sealed history, on disk and in memory.', unit: 'By' })
    .labels();
  const writing = registry
    .gauge({
      name: 'syrinx.history.on.disk',
      help: '1 while each minute reaches the disk, 0 while only memory has it.',
    })
    .labels();
  const failed = counter('write.failures', 'Times that the disk refused.');
  const setAside = counter('files.damaged', 'Damaged files that were set aside.');
  const dropped = counter('series.dropped', 'Series beyond the limit, which have no history.');
  const lost = counter('blocks.lost', 'Blocks of an hour that neither disk nor memory had room for.');
  return {
    size: (bytes) => size.set(bytes),
    writing: (yes) => writing.set(yes ? 1 : 0),
    failed: () => failed.add(),
    setAside: () => setAside.add(),
    seriesDropped: () => dropped.add(),
    lost: () => lost.add(),
  };
}
