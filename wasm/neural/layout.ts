// Where everything lies in the memory of the neural VAD: the only file here that knows an offset. Upper-case exports named by
// `neural.ts` reach the host.

/** Bytes 0..63 stay unused, so that 0 can mean "no slot". */
const START: usize = 64;

// ---- the net

export const WINDOW_SAMPLES: i32 = 512;
/** Samples before a window that the net hears with it. */
export const CONTEXT_SAMPLES: i32 = 64;
export const BINS: i32 = 129;
export const HIDDEN: i32 = 128;
export const GATES: i32 = 4 * HIDDEN;

// Weights: i16 in the order in which the kernels read them (`sums.ts`). Of conv1 those of bin 128 lie apart (`first-layer.ts`).
export const CONV1_WEIGHTS: usize = START;
/** A tap of 32 rows. */
export const CONV1_TAP_BYTES: usize = 32 * 128 * 2;
export const CONV1_LAST_WEIGHTS: usize = CONV1_WEIGHTS + 4 * 3 * CONV1_TAP_BYTES;
export const CONV2_WEIGHTS: usize = CONV1_LAST_WEIGHTS + 128 * 4 * 2;
export const CONV3_WEIGHTS: usize = CONV2_WEIGHTS + 64 * 3 * 128 * 2;
export const CONV4_WEIGHTS: usize = CONV3_WEIGHTS + 64 * 2 * 64 * 2;
export const INPUT_WEIGHTS: usize = CONV4_WEIGHTS + 128 * 64 * 2;
export const HIDDEN_WEIGHTS: usize = INPUT_WEIGHTS + <usize>GATES * 128 * 2;
export const WEIGHTS_END: usize = HIDDEN_WEIGHTS + <usize>GATES * 128 * 2;

// What one step of a weight is worth, f32 a row; then biases, f32 a row; then the last layer.
export const FLOATS: usize = WEIGHTS_END;
export const CONV1_SCALES: usize = FLOATS;
export const CONV2_SCALES: usize = CONV1_SCALES + 128 * 4;
export const CONV3_SCALES: usize = CONV2_SCALES + 64 * 4;
export const CONV4_SCALES: usize = CONV3_SCALES + 64 * 4;
export const INPUT_SCALES: usize = CONV4_SCALES + 128 * 4;
export const HIDDEN_SCALES: usize = INPUT_SCALES + <usize>GATES * 4;
export const CONV1_BIASES: usize = HIDDEN_SCALES + <usize>GATES * 4;
export const CONV2_BIASES: usize = CONV1_BIASES + 128 * 4;
export const CONV3_BIASES: usize = CONV2_BIASES + 64 * 4;
export const CONV4_BIASES: usize = CONV3_BIASES + 64 * 4;
export const GATE_BIASES: usize = CONV4_BIASES + 128 * 4;
export const LAST_WEIGHTS: usize = GATE_BIASES + <usize>GATES * 4;
/** One number, and three zeros that keep what follows aligned. */
export const LAST_BIAS: usize = LAST_WEIGHTS + 128 * 4;
export const FLOATS_END: usize = LAST_BIAS + 16;

// ---- tables of the front end (`front-end.ts`)

export const WINDOW: usize = FLOATS_END;
export const TWIDDLES: usize = WINDOW + 256 * 4;
export const REVERSED: usize = TWIDDLES + 256 * 8;

/** `constants.ts`: twelve vectors. */
export const CONSTANTS: usize = REVERSED + 128;
/** Sums of the taps of conv1, as its weights lie. */
export const CONV1_TAP_SUMS: usize = CONSTANTS + 12 * 16;

// ---- one window's work; every stage leaves its result, so that tests can look at each

/** Context, window and its reflected end as f32. */
export const HEARD: usize = CONV1_TAP_SUMS + 4 * 2 * CONV1_TAP_BYTES;
/** Four frames, one a lane: 128 complex numbers, (re, im) as two v128. */
export const SPECTRUM: usize = HEARD + 640 * 4;
/** Four frames, one a lane, a v128 a bin. */
export const MAGNITUDES: usize = SPECTRUM + 128 * 32;
/** Sums of a layer's rows, i32, before they are scaled. */
export const SUMS: usize = MAGNITUDES + <usize>BINS * 16;
/** Per stage: result as f32, and the same as i16 for the next one, each pair four times over. Conv1 has lists of 64 pairs, and bin 128. */
export const CONV1_LIST_BYTES: usize = 64 * 16;
export const CONV1_INPUT: usize = SUMS + <usize>GATES * 4;
export const CONV1_LAST_INPUT: usize = CONV1_INPUT + 8 * CONV1_LIST_BYTES;
export const CONV1_OUTPUT: usize = CONV1_LAST_INPUT + 16;
export const CONV2_INPUT: usize = CONV1_OUTPUT + 4 * 128 * 4;
export const CONV2_OUTPUT: usize = CONV2_INPUT + 4 * 64 * 16;
export const CONV3_INPUT: usize = CONV2_OUTPUT + 2 * 64 * 4;
export const CONV3_OUTPUT: usize = CONV3_INPUT + 2 * 32 * 16;
export const CONV4_INPUT: usize = CONV3_OUTPUT + 64 * 4;
export const CONV4_OUTPUT: usize = CONV4_INPUT + 32 * 16;
export const LSTM_INPUT: usize = CONV4_OUTPUT + 128 * 4;
export const LSTM_HIDDEN: usize = LSTM_INPUT + 64 * 16;
export const LSTM_GATES: usize = LSTM_HIDDEN + 64 * 16;
/** What one step of the i16 inputs is worth, f32: of conv1, conv2, conv3, conv4, LSTM. */
export const STEPS: usize = LSTM_GATES + <usize>GATES * 4;

// ---- host

/** Counters of the slots (`slot-bank.ts`). */
export const BANK: usize = STEPS + 32;
/** Input of a call, PCM16. */
export const PCM_IN: usize = BANK + 32;
export const BLOCK_SAMPLES: i32 = 1024;

export const SLOTS: usize = (PCM_IN + <usize>BLOCK_SAMPLES * 2 + 63) & ~63;
/** The weights as text lie where slots will be (`weights.ts`): two characters a weight, five a float. */
export const TEXT: usize = SLOTS;
export const TEXT_BYTES: usize = (WEIGHTS_END - START) / 2 * 2 + (FLOATS_END - FLOATS) / 4 * 5;

// ---- in each slot

// The first 12 bytes are the bank's (`slot-bank.ts`).

/** i32: whether the gate works at all. Survives `reset`. */
export const GATED: usize = 12;
/** f32: the newest probability. */
export const PROBABILITY: usize = 16;
/** i32: samples of the current window that are there; windows heard; windows in which the net ran, kept-back ones included. */
export const FILLED: usize = 20;
export const WINDOWS: usize = 24;
export const RUNS: usize = 28;
/** i32: whether the window before waits; windows that the gate stays open; low scores in a row. */
export const KEPT: usize = 32;
export const HOLD: usize = 36;
export const QUIET: usize = 40;
/** Powers, f64: smoothed; lowest of the current bucket; lowest of the buckets filed (`gate.ts`). */
export const SMOOTHED: usize = 48;
export const LOWEST: usize = 56;
export const BUCKETS: usize = 64;
/** State of the LSTM, f32, and its copy. */
export const STATE_H: usize = BUCKETS + 8 * 8;
export const STATE_C: usize = STATE_H + <usize>HIDDEN * 4;
export const SNAPSHOT: usize = STATE_C + <usize>HIDDEN * 4;
/** Context of the window before, that window, the current one: PCM16. */
export const HISTORY: usize = SNAPSHOT + 2 * <usize>HIDDEN * 4;
export const HISTORY_WINDOW: usize = HISTORY + <usize>CONTEXT_SAMPLES * 2;
export const CURRENT: usize = HISTORY_WINDOW + <usize>WINDOW_SAMPLES * 2;

/** A multiple of 64, so that vectors of every slot are aligned. */
export const SLOT_BYTES: usize = (CURRENT + <usize>WINDOW_SAMPLES * 2 + 63) & ~63;
