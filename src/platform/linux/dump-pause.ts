// Owns how long a memory dump on Linux would stop a process, before anything is touched.
import { release } from 'node:os';
import type { PausePrediction } from '../platform.ts';
import { memoryOf } from './dump/facts.ts';
import { childBytes, headroomBytes, tracksWrites, trackingBytes } from './dump/room.ts';

/** Stopping the threads and reading the table of mappings, and a look at the page tables of a GiB: scripts/bench/dump.ts measures both. */
const LOOK_MS = 15;
const LOOK_MS_PER_GIB = 12;
/** Attaching and the registers of all threads, and the page tables of a GiB copied by the kernel. */
const ATTACH_MS = 30;
const FORK_MS_PER_GIB = 40;
/** A disk takes 0.5 to 1.5 GB/s; the process stands still for all of it when it cannot be copied. */
const WRITE_MS_PER_GIB = 1_500;
const GIB = 2 ** 30;

/** By the engine that would be tried first. One that writes all of its memory all the time is not tracked but copied: that shows only in the trying. */
export function predictPause(pid: number): PausePrediction {
  const { residentBytes, ownBytes } = memoryOf(pid);
  const gib = residentBytes / GIB, free = headroomBytes(pid), isOurs = process.arch === 'x64';
  if (isOurs && tracksWrites(release()) && free >= trackingBytes()) return { engine: 'write-tracking', pauseMs: Math.round(LOOK_MS + gib * LOOK_MS_PER_GIB) };
  if (isOurs && free >= childBytes(residentBytes, ownBytes)) return { engine: 'copy-on-write', pauseMs: Math.round(ATTACH_MS + gib * FORK_MS_PER_GIB) };
  return { engine: 'stop-and-copy', pauseMs: Math.round(ATTACH_MS + gib * WRITE_MS_PER_GIB) };
}
