// Limits that hold or are missed, counted for the last line.

export class Verdicts {
  passed = 0;
  failed = 0;

  limit(holds: boolean, text: string): void {
    if (holds) this.passed++;
    else this.failed++;
    console.log(`${holds ? 'ok  ' : 'MISS'} ${text}`);
  }

  /** A figure without a limit of its own. */
  tell(text: string): void {
    console.log(`     ${text}`);
  }
}
