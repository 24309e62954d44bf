// PCM16 to float32 (divided by 32768) and back (saturating, halves to even).

export function pcmToFloat(from: usize, to: usize, samples: i32): void {
  const scale = f32x4.splat(<f32>(1.0 / 32768.0));
  let i = 0;
  for (; i + 8 <= samples; i += 8) {
    const pcm = v128.load(from + (<usize>i << 1));
    const at = to + (<usize>i << 2);
    v128.store(at, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(pcm)), scale));
    v128.store(at, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(pcm)), scale), 16);
  }
  for (; i < samples; i++) {
    store<f32>(to + (<usize>i << 2), <f32>load<i16>(from + (<usize>i << 1)) * <f32>(1.0 / 32768.0));
  }
}

export function floatToPcm(from: usize, to: usize, samples: i32): void {
  const scale = f32x4.splat(32768.0);
  let i = 0;
  for (; i + 8 <= samples; i += 8) {
    const at = from + (<usize>i << 2);
    const low = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(at), scale)));
    const high = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(at, 16), scale)));
    v128.store(to + (<usize>i << 1), i16x8.narrow_i32x4_s(low, high));
  }
  for (; i < samples; i++) {
    const value = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.splat(load<f32>(from + (<usize>i << 2)) * 32768.0)));
    store<i16>(to + (<usize>i << 1), i16x8.extract_lane_s(i16x8.narrow_i32x4_s(value, value), 0));
  }
}
