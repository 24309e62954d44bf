// Where everything lies in the one memory: the only file that knows an offset. Upper-case exports named by `core.ts` reach the host.

/** Bytes 0..63 stay unused, so that 0 can mean "no slot". */
const START: usize = 64;

// ---- once for all slots

/** Input samples that one call of a kernel takes. */
export const BLOCK_SAMPLES: i32 = 1024;
/** Most output samples of one block: 8 to 48 kHz. */
const BLOCK_OUTPUT_SAMPLES: i32 = 6 * BLOCK_SAMPLES;
/** Longest filter (48 to 8 kHz), taps per phase. */
export const MAX_TAPS: i32 = 384;

/** Slots: count, and the first free one (0: none). */
export const SLOT_COUNT: usize = START;
export const FIRST_FREE: usize = SLOT_COUNT + 4;

/** One descriptor of 32 bytes for each pair of rates, 16 pairs. */
export const FILTERS: usize = START + 64;
export const FILTER_BYTES: usize = 32;
/** Coefficients, f32; 2,432 are used. */
export const COEFFICIENTS: usize = FILTERS + 16 * FILTER_BYTES;
const COEFFICIENTS_BYTES: usize = 10240;

/** Hann window of 128, twiddle factors, band edges (`spectrum.ts`). */
export const WINDOW: usize = COEFFICIENTS + COEFFICIENTS_BYTES;
export const TWIDDLES: usize = WINDOW + 128 * 4;
export const UNPACK: usize = TWIDDLES + 64 * 8;
export const REVERSED: usize = UNPACK + 64 * 8;
/** The four sub-frames, one a lane: 64 complex numbers (re, im), v128 each. */
export const SPECTRUM: usize = REVERSED + 64 * 4;
/** Power of each band, one sub-frame a lane. */
export const BAND_POWER: usize = SPECTRUM + 64 * 32;
/** Sub-frame samples as f32, with the 48 before them. */
export const FRAME_FLOAT: usize = BAND_POWER + 16 * 16;

/** PCM16 as the host hands it over. */
export const PCM_IN: usize = FRAME_FLOAT + 384 * 4;
export const PCM_OUT: usize = PCM_IN + <usize>BLOCK_SAMPLES * 2;
/** History and block as f32, then the result as f32. */
export const FLOAT_IN: usize = PCM_OUT + <usize>BLOCK_OUTPUT_SAMPLES * 2;
export const FLOAT_OUT: usize = FLOAT_IN + <usize>(MAX_TAPS + BLOCK_SAMPLES) * 4;

export const SLOTS: usize = FLOAT_OUT + <usize>BLOCK_OUTPUT_SAMPLES * 4;

// ---- in each slot

export const SLOT_BYTES: usize = 7168;

/** Survives release: which use of the slot this is. */
export const GENERATION: usize = 0;
/** 0: free. */
export const IN_USE: usize = 4;
/** Next free slot. */
export const NEXT_FREE: usize = 8;

/** Resampler: descriptor of the filter (0: equal rates), samples kept, phase of the next output. */
export const FILTER: usize = 16;
export const KEPT: usize = 20;
export const PHASE: usize = 24;

/** Ring: where reading goes on, and how many samples wait. */
export const RING_HEAD: usize = 32;
export const RING_COUNT: usize = 36;

/** What the frame pass found: f64 each. */
export const RESULTS: usize = 64;
export const RESULT_SCORE: usize = RESULTS;
export const RESULT_RMS: usize = RESULTS + 8;
export const RESULT_FIRST_HALF_DB: usize = RESULTS + 16;
export const RESULT_SECOND_HALF_DB: usize = RESULTS + 24;
export const RESULT_FLOOR_DB: usize = RESULTS + 32;
export const RESULT_PEAK: usize = RESULTS + 40;

/** Speech tracking (`speech.ts`). */
export const TRACK: usize = 128;
export const TRACK_BYTES: usize = 640;

/** The frame, PCM16, and the 48 samples before it. */
export const BEFORE_FRAME: usize = TRACK + TRACK_BYTES;
export const FRAME: usize = BEFORE_FRAME + 48 * 2;
export const FRAME_SAMPLES: i32 = 320;

/** Resampler history, f32. */
export const HISTORY: usize = FRAME + <usize>FRAME_SAMPLES * 2;

export const RING: usize = HISTORY + <usize>MAX_TAPS * 4;
/** A power of two: 128 ms at 16 kHz. */
export const RING_SAMPLES: i32 = 2048;
