// Owns the geometry of the request strip: where each bucket, label and mark lies, without any drawing.
import type { Change, Now } from '../../shared/model.ts';

export type Bucket = Now['strip'][number];
export interface Frame { readonly from: number; readonly to: number; readonly width: number; readonly height: number }

export const LEFT = 34;
export const RIGHT = 4;
export const TOP = 8;
/** Below the axis: one lane that repeats where failures are, one for marks. */
export const BELOW = 18;
/** A failure is at least this tall, so that one among a hundred is still seen. */
export const LEAST_FAILED = 9;
const LEAST_BAR = 1;

export interface Bar { readonly x: number; readonly w: number; readonly y: number; readonly h: number; readonly kind: 'failed' | 'refused' | 'ok' }

export const xOf = (f: Frame, at: number): number => LEFT + ((at - f.from) / (f.to - f.from)) * (f.width - LEFT - RIGHT);
export const atOf = (f: Frame, x: number): number => f.from + ((x - LEFT) / (f.width - LEFT - RIGHT)) * (f.to - f.from);
export const floorY = (f: Frame): number => f.height - BELOW;

/** The next of 2, 4, 6, 8 × 10ⁿ at or above `n`: its half is written too, so it should be whole. */
export function roundUp(n: number): number {
  if (n <= 2) return 2;
  const power = 10 ** Math.floor(Math.log10(n));
  return ([1, 2, 4, 6, 8, 10].find((k) => k * power >= n) ?? 10) * power;
}

/** The top of the value axis for these buckets. */
export const topOf = (buckets: readonly Bucket[]): number => roundUp(buckets.reduce((most, b) => Math.max(most, b.ok + b.refused + b.failed), 0));

/** Failures stand on the axis in front, then refusals, then what went well. Bars lie on whole pixels. */
export function barsOf(f: Frame, buckets: readonly Bucket[], stepMs: number, top: number): readonly Bar[] {
  const high = floorY(f) - TOP;
  const out: Bar[] = [];
  for (const b of buckets) {
    const x = Math.round(xOf(f, b.at));
    const end = Math.round(xOf(f, b.at + stepMs));
    if (end <= LEFT || x >= f.width) continue;
    const w = Math.max(1, end - x - (end - x > 3 ? 1 : 0));
    let y = floorY(f);
    const put = (n: number, kind: Bar['kind'], least: number): void => {
      if (n <= 0) return;
      const h = Math.min(y - TOP, Math.max(least, Math.round((n / top) * high)));
      y -= h;
      out.push({ x: Math.max(LEFT, x), w, y, h, kind });
    };
    put(b.failed, 'failed', LEAST_FAILED);
    put(b.refused, 'refused', LEAST_BAR);
    put(b.ok, 'ok', LEAST_BAR);
  }
  return out;
}

const STEPS_MS = [1_000, 5_000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000];
/** Round instants for the time axis, about one per `everyPx`, in the reader's own zone. */
export function ticksOf(f: Frame, everyPx = 150): readonly number[] {
  const aim = ((f.to - f.from) * everyPx) / Math.max(1, f.width);
  const step = STEPS_MS.find((s) => s >= aim) ?? 86_400_000;
  const zoneMs = new Date(f.from).getTimezoneOffset() * 60_000;
  const out: number[] = [];
  for (let at = Math.ceil((f.from - zoneMs) / step) * step + zoneMs; at <= f.to; at += step) out.push(at);
  return out;
}

/** The bucket under a pointer and the changes close to it. */
export function under(f: Frame, x: number, buckets: readonly Bucket[], stepMs: number, changes: readonly Change[]): { bucket: Bucket | undefined; near: readonly Change[] } {
  const at = atOf(f, x);
  const closeMs = (6 / (f.width - LEFT - RIGHT)) * (f.to - f.from);
  return { bucket: buckets.find((b) => at >= b.at && at < b.at + stepMs), near: changes.filter((c) => Math.abs(c.at - at) <= Math.max(closeMs, stepMs / 2)).slice(0, 4) };
}
