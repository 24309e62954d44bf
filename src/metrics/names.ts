// Names as OpenTelemetry writes them (dots, base unit beside the name) turned into those that Prometheus would store.

export type Kind = 'counter' | 'gauge' | 'histogram';

/** UCUM units that are in use, as Prometheus spells them. Others stay as they are; `{...}` is only an annotation. */
const UNITS: Readonly<Record<string, string>> = { s: 'seconds', By: 'bytes', '1': '', Hz: 'hertz', '%': 'percent' };
/** Behind the slash of a rate: `By/s` is bytes per second. */
const PER: Readonly<Record<string, string>> = { s: 'second', m: 'minute', h: 'hour', d: 'day' };

/** `voice.turn.duration` in `s` becomes `voice_turn_duration_seconds`; counters end in `_total`. */
export function prometheusName(name: string, unit: string, kind: Kind): string {
  const [measured = '', per] = unit.split('/');
  const annotation = measured.startsWith('{') || measured === '';
  const suffix = annotation ? '' : unit === '1' && kind === 'gauge' ? 'ratio' : (UNITS[measured] ?? measured);
  let parts = safe(name)
    .split('_')
    .filter((part) => part !== '');
  if (kind === 'counter') parts = parts.filter((part, i) => part !== 'total' || i === 0);
  if (suffix !== '' && !parts.includes(suffix)) parts.push(...safe(suffix).split('_'));
  if (per !== undefined) parts.push('per', ...safe(PER[per] ?? per).split('_'));
  if (kind === 'counter') parts.push('total');
  const joined = parts.join('_');
  return /^[0-9]/.test(joined) ? `_${joined}` : joined;
}

export function prometheusLabel(name: string): string {
  const label = safe(name).replace(/_{2,}/g, '_');
  return /^[0-9]/.test(label) ? `_${label}` : label;
}

function safe(name: string): string {
  return name.replace(/[^a-zA-Z0-9_]/g, '_');
}

/** A label's value between quotes. */
export function escapeLabel(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

export function escapeHelp(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
}
