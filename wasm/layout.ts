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

/** Counters of the slots (`slot-bank.ts`). */
export const BANK: usize = START;

/** One descriptor of 32 bytes for each pair of rates, 16 pairs. */
export const FILTERS: usize = START + 64;
export const FILTER_BYTES: usize = 32;
/** Coefficients, f32; 2,432 are used. */
export const COEFFICIENTS: usize = FILTERS + 16 * FILTER_BYTES;
const COEFFICIENTS_BYTES: usize = 10240;

/** Hann window of 128; twiddle factors as (re, im); base-4 digit reversal and edges of the bands, a byte each (`spectrum.ts`). */
export const WINDOW: usize = COEFFICIENTS + COEFFICIENTS_BYTES;
export const TWIDDLES: usize = WINDOW + 128 * 4;
export const REVERSED: usize = TWIDDLES + 128 * 8;
export const BAND_EDGES: usize = REVERSED + 64;
/** The frame as f32, with the 48 samples before it. */
export const FRAME_FLOAT: usize = BAND_EDGES + 32;
/** Four sub-frames, one a lane: 64 complex numbers, (re, im) as two v128. */
export const SPECTRUM: usize = FRAME_FLOAT + 368 * 4;
/** Mean power of each of 16 bands, f32; before that one v128 a band. */
export const BAND_LANES: usize = SPECTRUM + 64 * 32;
export const BAND_POWERS: usize = BAND_LANES + 16 * 16;

/** Power of each of 64 bins, one v128 a bin: a lane a sub-frame (the outermost stay 0). */
export const BIN_LANES: usize = BAND_POWERS + 16 * 4;

/** PCM16 as the host hands it over. */
export const PCM_IN: usize = BIN_LANES + 64 * 16;
export const PCM_OUT: usize = PCM_IN + <usize>BLOCK_SAMPLES * 2;
/** History and block as f32, then the result as f32. */
export const FLOAT_IN: usize = PCM_OUT + <usize>BLOCK_OUTPUT_SAMPLES * 2;
export const FLOAT_OUT: usize = FLOAT_IN + <usize>(MAX_TAPS + BLOCK_SAMPLES) * 4;

export const SLOTS: usize = (FLOAT_OUT + <usize>BLOCK_OUTPUT_SAMPLES * 4 + 63) & ~63;

// ---- in each slot

// The first 12 bytes are the bank's (`slot-bank.ts`).

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

/** Whether somebody speaks (`speech.ts`): f64 each; the groups are four. */
export const FLOOR: usize = RESULT_PEAK + 8;
export const DEVIATION: usize = FLOOR + 8;
export const ACTIVE: usize = DEVIATION + 8;
export const CONFIDENCE: usize = ACTIVE + 8;
export const HOLD: usize = CONFIDENCE + 8;
export const BEGUN: usize = HOLD + 8;
export const SEEN: usize = BEGUN + 8;
export const PRESENCE: usize = SEEN + 8;
export const EXCESS: usize = PRESENCE + 8;
export const IDLE_PRESENCE: usize = EXCESS + 8;
export const IDLE_SPREAD: usize = IDLE_PRESENCE + 8;
export const GROUP: usize = IDLE_SPREAD + 8;
export const GROUP_FLOOR: usize = GROUP + 4 * 8;
export const GROUP_DEVIATION: usize = GROUP_FLOOR + 4 * 8;

/** Recovery of the floor (`recovery.ts`): f64 each, then turns and buckets. */
export const LEVEL: usize = GROUP_DEVIATION + 4 * 8;
export const WOBBLE: usize = LEVEL + 8;
export const QUIET: usize = WOBBLE + 8;
export const QUIETEST: usize = QUIET + 8;
export const QUIETEST_FILED: usize = QUIETEST + 8;
export const LEVEL_TURN: usize = QUIETEST_FILED + 8;
export const LEVEL_BUCKETS: usize = LEVEL_TURN + 8;

/** Bands (`bands.ts`): 16 f32 each, 8 buckets of them, turns. */
export const BAND_SMOOTH: usize = LEVEL_BUCKETS + 8 * 8;
export const BAND_LOWEST: usize = BAND_SMOOTH + 64;
export const BAND_FILED: usize = BAND_LOWEST + 64;
export const BAND_MEAN: usize = BAND_FILED + 64;
export const BAND_SQUARE: usize = BAND_MEAN + 64;
export const BAND_BUCKETS: usize = BAND_SQUARE + 64;
export const BAND_TURN: usize = BAND_BUCKETS + 8 * 64;

/** The frame, PCM16, and the 48 samples before it. */
export const BEFORE_FRAME: usize = BAND_TURN + 8;
export const FRAME: usize = BEFORE_FRAME + 48 * 2;
export const FRAME_SAMPLES: i32 = 320;

/** Resampler history, f32. */
export const HISTORY: usize = FRAME + <usize>FRAME_SAMPLES * 2;

export const RING: usize = HISTORY + <usize>MAX_TAPS * 4;
/** A power of two: 128 ms at 16 kHz. */
export const RING_SAMPLES: i32 = 2048;

/** What the newest window of quality was like (`verdict.ts`): f64 each. */
export const QUALITY_RESULTS: usize = RING + <usize>RING_SAMPLES * 2;
export const RESULT_WINDOWS: usize = QUALITY_RESULTS;
export const RESULT_FRAMES: usize = QUALITY_RESULTS + 8;
export const RESULT_ACTIVE_FRAMES: usize = QUALITY_RESULTS + 16;
export const RESULT_INDEX: usize = QUALITY_RESULTS + 24;
export const RESULT_CLARITY: usize = QUALITY_RESULTS + 32;
export const RESULT_LEVEL: usize = QUALITY_RESULTS + 40;
export const RESULT_SNR: usize = QUALITY_RESULTS + 48;
export const RESULT_CLIP: usize = QUALITY_RESULTS + 56;
export const RESULT_GAPS: usize = QUALITY_RESULTS + 64;
export const RESULT_DC: usize = QUALITY_RESULTS + 72;
export const RESULT_BANDWIDTH: usize = QUALITY_RESULTS + 80;

/** Sensors on the input (`line.ts`): i64 and f64, then i32. */
export const LINE_SUM: usize = QUALITY_RESULTS + 11 * 8;
export const CELL_SQUARES: usize = LINE_SUM + 8;
export const CELL_BEFORE: usize = LINE_SUM + 16;
export const ZEROS_BEFORE: usize = LINE_SUM + 24;
export const HOLE_BEFORE: usize = LINE_SUM + 32;
export const HOLE_AFTER: usize = LINE_SUM + 40;
export const CELL: usize = LINE_SUM + 48;
export const CELL_FILLED: usize = CELL + 4;
export const LINE_SAMPLES: usize = CELL + 8;
export const LINE_PEAK: usize = CELL + 12;
export const RAIL: usize = CELL + 16;
export const RAIL_HITS: usize = CELL + 20;
export const FLAT_RUN: usize = CELL + 24;
export const FLAT_LAST: usize = CELL + 28;
export const FLAT_EQUAL: usize = CELL + 32;
export const ZEROS: usize = CELL + 36;
export const HOLE: usize = CELL + 40;
export const HOLE_CELLS: usize = CELL + 44;
/** 41 counts by magnitude; 31 pairs of samples and count by level. */
export const FLATS: usize = CELL + 48;
export const HOLES: usize = FLATS + 44 * 4;

/** Sums over the window's frames (`quality.ts`): f64, i32, then 91 levels as i32 and f32. */
export const ABS_SUM: usize = HOLES + 31 * 8;
export const LOG_SUM: usize = ABS_SUM + 8;
export const QUALITY_FRAMES: usize = ABS_SUM + 16;
export const VOICED_FRAMES: usize = ABS_SUM + 20;
export const LEVEL_COUNTS: usize = ABS_SUM + 24;
export const LEVEL_POWERS: usize = LEVEL_COUNTS + 92 * 4;
/** 64 f32 each: of the half second, then the highest two and the lowest two of the window. */
export const BIN_MAX: usize = LEVEL_POWERS + 92 * 4;
export const BIN_MIN: usize = BIN_MAX + 256;
export const BIN_HIGH: usize = BIN_MIN + 256;
export const BIN_LOW: usize = BIN_HIGH + 512;

/** A multiple of 64, so that vectors of every slot are aligned. */
export const SLOT_BYTES: usize = (BIN_LOW + 512 + 63) & ~63;
