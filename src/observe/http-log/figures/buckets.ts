// Owns the buckets in which times are counted: whole numbers below 128 exactly, everything else within 0.4 %.

/** Buckets of one power of two, and of one page of a histogram. */
export const PAGE = 128;
const PAGE_BITS = 7;
/** Bits of a double's high word below the leading mantissa bits that a bucket keeps. */
const SHIFT = 20 - PAGE_BITS;
/** Smallest and largest power of two told apart: a microsecond (in ms) and 34 years. What is beyond counts in the last bucket. */
const LEAST_POWER = -10, MOST_POWER = 39;
const LEAST = 2 ** LEAST_POWER, MOST = 2 ** (MOST_POWER + 1) * (1 - 2 ** -52);
/** Page 0 holds the whole numbers below 128, page 1 the power LEAST_POWER, and so on. */
export const PAGES = 2 + MOST_POWER - LEAST_POWER;
export const BUCKETS = PAGES * PAGE;
/** Pages of powers below 128: their values lie between those of page 0. */
export const FIRST_ORDERED_PAGE = 1 + PAGE_BITS - LEAST_POWER;
/** High word of LEAST, shortened as a bucket is, less the one page before it. */
const ORIGIN = (1_023 + LEAST_POWER << PAGE_BITS) - PAGE;

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
/** The word with sign, exponent and high mantissa; byte order differs by machine. */
const HIGH = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;

/** Bucket of a value; -1 for what is none (absent, negative, not a number). */
export function bucketOf(value: number): number {
  const whole = value | 0;
  if (whole === value && whole >= 0) {
    if (whole < PAGE) return whole;
    const power = 31 - Math.clz32(whole);
    return (power + 1 - LEAST_POWER << PAGE_BITS) + (whole >>> power - PAGE_BITS & PAGE - 1);
  }
  return fractional(value);
}

function fractional(value: number): number {
  if (!(value >= 0)) return -1;
  if (value < LEAST) return 0;
  float[0] = value < MOST ? value : MOST;
  return ((words[HIGH] as number) >>> SHIFT) - ORIGIN;
}

/** The value told for a bucket: its middle. `whole`: only whole numbers were counted, so that the middle is that of the whole numbers in it. */
export function middleOf(bucket: number, whole: boolean): number {
  if (bucket < PAGE) return bucket;
  const low = lowest(bucket);
  const width = lowest(bucket + 1) - low;
  return low + (whole && width >= 1 ? width - 1 : width) / 2;
}

function lowest(bucket: number): number {
  words[HIGH] = bucket + ORIGIN << SHIFT;
  words[1 - HIGH] = 0;
  return float[0] as number;
}

let ordered: Int32Array | undefined;

/** All buckets, ascending by what they stand for: those of page 0 lie between the fractions. */
export function bucketsInOrder(): Int32Array {
  ordered ??= Int32Array.from({ length: BUCKETS }, (_, i) => i).sort((a, b) => middleOf(a, false) - middleOf(b, false));
  return ordered;
}
