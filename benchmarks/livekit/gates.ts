// Verdicts of a benchmark: each figure beside its control and its limit, and the line that counts them.

interface Gate {
  readonly what: string;
  readonly value: number;
  readonly limit: number;
  readonly unit: string;
}

export class Gates {
  readonly #gates: Gate[] = [];

  /** `value` and `limit` are ratios or differences to the control of the same run. */
  atMost(what: string, value: number, limit: number, unit = ''): void {
    this.#gates.push({ what, value, limit, unit });
  }

  /** Prints all, and tells whether all passed. What could not be measured has failed. */
  print(): boolean {
    const passes = ({ value, limit }: Gate) => value <= limit;
    if (this.#gates.length === 0) return true;
    console.log('\nagainst the control of the same run');
    for (const gate of this.#gates)
      console.log(
        `${passes(gate) ? 'pass' : 'MISS'}  ${gate.what.padEnd(58)} ${gate.value.toFixed(2).padStart(8)} ${gate.unit.padEnd(12)} limit ${gate.limit}`,
      );
    const passed = this.#gates.filter(passes).length;
    console.log(`\n${passed} passed, ${this.#gates.length - passed} failed`);
    return passed === this.#gates.length;
  }
}
