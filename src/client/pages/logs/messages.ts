// Owns the form of a batch of log entries inside the page.
import type { LogItem } from '../../../shared/live.ts';

export interface LogBatchMessage { readonly source: string; readonly items: readonly LogItem[]; readonly dropped: number; readonly passed: number }
