// Owns how long a memory dump on Linux would stop a process, before anything is touched.
import type { PausePrediction } from '../platform.ts';
import { memoryOf } from './dump/facts.ts';
import { childBytes, headroomBytes } from './dump/room.ts';

/** Attaching and the registers of all threads, and the page tables of a GiB: the bounds that scripts/bench/dump.ts holds the copy-on-write engine to. */
const ATTACH_MS = 30;
const FORK_MS_PER_GIB = 20;
/** A disk takes 0.5 to 1.5 GB/s; the process stands still for all of it when it cannot be copied. */
const WRITE_MS_PER_GIB = 1_500;
const GIB = 2 ** 30;

/** By the engine that would be tried first. */
export function predictPause(pid: number): PausePrediction {
  const { residentBytes, ownBytes } = memoryOf(pid);
  const copied = process.arch === 'x64' && headroomBytes(pid) >= childBytes(residentBytes, ownBytes);
  const pauseMs = Math.round(ATTACH_MS + (residentBytes / GIB) * (copied ? FORK_MS_PER_GIB : WRITE_MS_PER_GIB));
  return { engine: copied ? 'copy-on-write' : 'stop-and-copy', pauseMs };
}
