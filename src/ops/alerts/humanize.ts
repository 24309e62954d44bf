// Numbers for people, with the rounding and the prefixes of Prometheus' template functions.

const LARGE = ['k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];
const SMALL = ['m', 'u', 'n', 'p', 'f', 'a', 'z', 'y'];
const BINARY = ['ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi'];

/** As `%.4g` writes it. */
export function fourDigits(value: number): string {
  return plain(Number(value.toPrecision(4)));
}

export function plain(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}

const special = (value: number): boolean => value === 0 || !Number.isFinite(value);

export function humanize(value: number): string {
  if (special(value)) return fourDigits(value);
  let [rest, prefix] = [value, ''];
  if (Math.abs(value) >= 1) {
    for (const next of LARGE) {
      if (Math.abs(rest) < 1000) break;
      [rest, prefix] = [rest / 1000, next];
    }
  } else {
    for (const next of SMALL) {
      if (Math.abs(rest) >= 1) break;
      [rest, prefix] = [rest * 1000, next];
    }
  }
  return `${fourDigits(rest)}${prefix}`;
}

export function humanize1024(value: number): string {
  if (Math.abs(value) <= 1 || special(value)) return fourDigits(value);
  let [rest, prefix] = [value, ''];
  for (const next of BINARY) {
    if (Math.abs(rest) < 1024) break;
    [rest, prefix] = [rest / 1024, next];
  }
  return `${fourDigits(rest)}${prefix}`;
}

/** Of seconds. */
export function humanizeDuration(value: number): string {
  if (special(value)) return `${fourDigits(value)}s`;
  if (Math.abs(value) < 1) return `${humanize(value)}s`;
  const sign = value < 0 ? '-' : '';
  const whole = Math.trunc(Math.abs(value));
  const [days, hours] = [Math.floor(whole / 86_400), Math.floor(whole / 3600) % 24];
  const [minutes, seconds] = [Math.floor(whole / 60) % 60, whole % 60];
  if (days > 0) return `${sign}${days}d ${hours}h ${minutes}m ${seconds}s`;
  if (hours > 0) return `${sign}${hours}h ${minutes}m ${seconds}s`;
  if (minutes > 0) return `${sign}${minutes}m ${seconds}s`;
  return `${sign}${fourDigits(Math.abs(value))}s`;
}

/** Of a fraction. */
export function humanizePercentage(value: number): string {
  return `${fourDigits(value * 100)}%`;
}
