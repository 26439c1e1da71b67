// Owns what a log is by its name and folder.
import { basename } from 'node:path';
import type { SourceKind } from '../../shared/model.ts';

/** Never logs, and large: packages, repositories, caches. */
export const SKIPPED_FOLDERS: ReadonlySet<string> = new Set(['node_modules', '.git', '.npm', '.cache', '__pycache__', 'vendor', 'site-packages']);

/** Files of log folders that are no text: dumps, traces, archives. */
const NO_TEXT = /\.(?:dmp|mdmp|hdmp|core|etl|evtx|cap|pcap|pcapng|zip|gz|tgz|bz2|xz|7z|cab|nettrace|diagsession|heapsnapshot|cpuprofile|gcdump|db|sqlite|png|jpe?g|ico|exe|dll|pdb|tmp|part|lock|pid)$/i;

/** Of LogFiles: everything that is text. */
export function isLog(path: string): boolean {
  return !NO_TEXT.test(path) && !basename(path).startsWith('.');
}

/** Of the app's own folder (path below it): what is named as a log, and what lies in a folder named so. */
export function isAppLog(path: string): boolean {
  const name = basename(path);
  if (!isLog(path)) return false;
  if (/\.log(?:[._-]?\d[\d._-]*)?$|\.[\d._-]+\.log$|^error_log$|^npm-debug\.log/i.test(name)) return true;
  return /(?:^|[\\/])(?:iisnode|logs?)[\\/]/i.test(path) && /\.(?:txt|out|err|html?|xml|jsonl)$/i.test(name);
}

const KINDS: readonly (readonly [RegExp, SourceKind])[] = [
  [/^LogFiles\/http\//i, 'http'],
  [/^LogFiles\/eventlog[^/]*\.xml$/i, 'event'],
  [/(?:^|\/)php[^/]*error[^/]*\.log$|(?:^|\/)error_log$/i, 'php'],
  [/_docker(?:\.\d+)?\.log$/i, 'docker'],
  [/^LogFiles\/(?:Application\/|stdout[^/]*$|stderr[^/]*$|[^/]*std(?:out|err)[^/]*$)/i, 'application'],
  [/^LogFiles\/(?:kudu|Transform|SiteExtensions|DaaS|diag|webssh|AppInsights|StatusMonitor)\//i, 'platform'],
  [/^site\//, 'application'],
];

/** By the path below the home. Failed request traces, detailed error pages and what is unknown are `other`. */
export function kindOf(key: string): SourceKind {
  return KINDS.find(([form]) => form.test(key))?.[1] ?? 'other';
}
