// Owns the past as HTTP logs on this machine tell it: for trials without an agent.
import { readLogs } from '../../observe/http-log/offline/read-logs.ts';
import { requestSignal } from './past.ts';
import type { Past } from './trial.ts';

/** Rows held at once: older ones are left out, and that is said. */
const MAX_ROWS = 500_000;

export async function pastOfLogs(paths: readonly string[], signal: AbortSignal): Promise<{ readonly past: Past; readonly from: number; readonly to: number; readonly note?: string }> {
  const { rows, more } = await readLogs({ paths, rows: MAX_ROWS, signal });
  let from = Infinity, to = -Infinity;
  for (const { at } of rows) { from = Math.min(from, at); to = Math.max(to, at); }
  const signals = rows.map(requestSignal);
  const nothing = { stepMs: 1_000, from: 0, to: 0, at: [], series: [] };
  const past: Past = {
    logsOnly: true,
    series: () => Promise.resolve(nothing), tracks: () => Promise.resolve([]), changes: () => Promise.resolve([]), causes: () => Promise.resolve([]), events: () => Promise.resolve(undefined),
    requests: () => Promise.resolve(signals.length === 0 ? undefined : { signals }),
  };
  const known = Number.isFinite(from) ? { from, to } : { from: 0, to: 0 };
  return { past, ...known, ...(more ? { note: `Only the newest ${MAX_ROWS} requests are tried; older ones are left out.` } : {}) };
}
