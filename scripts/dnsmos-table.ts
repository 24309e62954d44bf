// DNSMOS P.835 OVRL on known degradations, means over 8 voices of 9 s (sig_bak_ovr.onnx, microsoft/DNS-Challenge at 591184a; CC-BY-4.0).

export interface DnsmosFamily {
  readonly name: string;
  readonly steps: readonly number[];
  readonly ovrl: readonly number[];
  /** Whether the weights of the index were chosen by it. DNSMOS does not hear clipping and bandwidth. */
  readonly fitted: boolean;
}

export const DNSMOS_CLEAN = 3.12;
export const DNSMOS: readonly DnsmosFamily[] = [
  { name: 'white', steps: [40, 30, 20, 15, 10, 5, 0], ovrl: [3.04, 2.89, 2.53, 2.3, 2.03, 1.73, 1.28], fitted: true },
  { name: 'cafe', steps: [40, 30, 20, 15, 10, 5, 0], ovrl: [3.07, 2.95, 2.73, 2.45, 1.91, 1.31, 1.16], fitted: true },
  {
    name: 'gaps20',
    steps: [0.01, 0.02, 0.05, 0.1, 0.2, 0.3],
    ovrl: [3.03, 2.97, 2.68, 2.64, 1.94, 1.44],
    fitted: true,
  },
  { name: 'gaps60', steps: [0.01, 0.02, 0.05, 0.1, 0.2, 0.3], ovrl: [3.07, 3.06, 3.1, 2.94, 2.63, 2.2], fitted: true },
  { name: 'dc', steps: [0.01, 0.03, 0.1, 0.2], ovrl: [3.11, 2.75, 1.82, 1.28], fitted: true },
  { name: 'level', steps: [-10, -20, -30, -40, -50], ovrl: [3.11, 2.72, 2.29, 1.98, 1.9], fitted: true },
  {
    name: 'clip',
    steps: [0.0005, 0.002, 0.01, 0.03, 0.08, 0.15],
    ovrl: [2.95, 2.91, 2.87, 2.8, 2.77, 2.7],
    fitted: false,
  },
  {
    name: 'lowpass',
    steps: [7000, 5500, 4000, 3400, 2000, 1000],
    ovrl: [3.22, 3.23, 3.23, 3.22, 3.17, 3.03],
    fitted: false,
  },
];
