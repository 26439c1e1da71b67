// Owns giving memory back at once: what a table leaves behind that moved to larger memory is freed only when V8 collects its whole heap, and who makes no garbage is seldom collected.

/** Smaller ones are not worth the call. */
const LEAST_BYTES = 64 * 1024;

/** Nobody may use the array any more: its memory is taken from it, and goes with the next collection of what is young. */
export function giveBack({ buffer }: ArrayBufferView): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= LEAST_BYTES) structuredClone(undefined, { transfer: [buffer] });
}
