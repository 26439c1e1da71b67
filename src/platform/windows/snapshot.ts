// Owns the look at all processes: one call of Windows for everyone's counters, shared by list and usage that ask at the same instant.
import type { Account } from '../platform.ts';
import { parseNtAccount, parseNtProcesses, parseNtThreads, type NtProcess, type NtThread } from '../parse/nt-processes.ts';
import { Win32Error } from './codes.ts';
import type { Win32 } from './win32.ts';

const FIRST_BYTES = 256 * 1024;
/** 100,000 threads; a machine that needs more is told so. */
const MAX_BYTES = 16 * 1024 * 1024;
/** Between the answer "too small" and the next try processes may start. */
const SPARE_BYTES = 64 * 1024;
const TRIES = 4;
/** What the list has just read serves the usage asked right after it. */
const FRESH_MS = 10;
const ERROR_NO_SYSTEM_RESOURCES = 1_450;

export class Snapshots {
  readonly #win32: Win32;
  #buffer = Buffer.alloc(FIRST_BYTES);
  #address: number;
  #bytes = 0;
  #at = -Infinity;
  #last: readonly NtProcess[] = [];

  constructor(win32: Win32) {
    this.#win32 = win32;
    this.#address = win32.addressOf(this.#buffer);
  }

  /** As of now. @throws Win32Error */
  take(): readonly NtProcess[] {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const answer = this.#win32.systemProcesses(this.#buffer);
      if ('bytes' in answer) {
        this.#bytes = answer.bytes;
        this.#last = parseNtProcesses(this.#buffer, answer.bytes, this.#address);
        this.#at = performance.now();
        return this.#last;
      }
      if (answer.neededBytes > MAX_BYTES) break;
      this.#buffer = Buffer.alloc(Math.max(2 * this.#buffer.length, answer.neededBytes + SPARE_BYTES));
      this.#address = this.#win32.addressOf(this.#buffer);
    }
    throw new Win32Error('NtQuerySystemInformation', ERROR_NO_SYSTEM_RESOURCES);
  }

  /** Not older than 10 ms. */
  recent(): readonly NtProcess[] { return performance.now() - this.#at < FRESH_MS ? this.#last : this.take(); }

  /** Of a process of the last snapshot. */
  account(process: NtProcess): Account { return parseNtAccount(this.#buffer, process); }

  /** Threads of a process of the last snapshot. */
  threads(process: NtProcess): NtThread[] { return parseNtThreads(this.#buffer, this.#bytes, process); }
}
