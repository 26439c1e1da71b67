// Owns hand-made artifacts for tests: W3C rows in a short notation, JSON files, raw bytes, each as a reader over memory.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ArtifactReader, Given } from '../../src/analyze/contracts.ts';
import type { ArtifactKind, Change } from '../../src/shared/model.ts';

export const DAY = Date.UTC(2026, 10, 21);
/** "02:14:07.5" of the test day. */
export function at(clock: string): number {
  const [h = 0, m = 0, s = 0] = clock.split(':').map(Number);
  return DAY + Math.round((h * 3_600 + m * 60 + s) * 1_000);
}
/** 02:10 to 02:25. */
export const WINDOW = { from: at('02:10:00'), to: at('02:25:00') };
export const never = new AbortController().signal;

export function reader(kind: ArtifactKind, name: string, content: string | Uint8Array): ArtifactReader {
  const bytes = Buffer.from(content as string);
  return {
    ref: { session: '261121_0225000000', instance: '4a1f9c', kind, name, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') },
    stream: () => Readable.from(pieces(bytes)),
    text: (maxBytes) => Promise.resolve({ text: bytes.toString('utf8', 0, maxBytes), cut: bytes.length > maxBytes }),
    json: () => Promise.resolve().then(() => JSON.parse(bytes.toString('utf8')) as unknown),
  };
}

/** Odd sizes, so that lines and characters are cut at every place. */
function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let i = 0; i < bytes.length; i += 4_099) yield bytes.subarray(i, i + 4_099);
}

export function given(...readers: readonly ArtifactReader[]): Given {
  const out: { [K in ArtifactKind]?: ArtifactReader[] } = {};
  for (const one of readers) (out[one.ref.kind] ??= []).push(one);
  return out;
}

export const FIELDS = '#Fields: date time s-sitename cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Cookie) cs(Referer) cs-host sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken';

/** "02:14:07 POST /cart/apply 502.3.12030 66" per line; `x12` at the end repeats it. Query, client and host are made up. */
export function w3c(rows: string): string {
  const out = ['#Software: Microsoft Internet Information Services 10.0', FIELDS];
  for (const line of rows.split('\n').map((r) => r.trim()).filter((r) => r !== '')) {
    const [clock, method, path, code, taken, times] = line.split(/ +/);
    const [status, sub = '0', win32 = '0'] = (code ?? '').split('.');
    const row = `2026-11-21 ${clock} CONTOSO-SHOP ${method} ${path} X-ARR-LOG-ID=1 443 - 203.0.113.7 Mozilla/5.0 - - contoso-shop.azurewebsites.net ${status} ${sub} ${win32} 512 300 ${taken}`;
    for (let i = 0; i < Number(times?.slice(1) ?? 1); i += 1) out.push(row);
  }
  return `${out.join('\r\n')}\r\n`;
}

export const httpLog = (rows: string, name = 'raw.log'): ArtifactReader => reader('http-log', name, w3c(rows));

export interface Event { readonly at: number; readonly id: number; readonly provider?: string; readonly level?: 'error' | 'warn' | 'info'; readonly text: string }
export const eventLog = (...rows: readonly Event[]): ArtifactReader =>
  reader('event-log', 'eventlog.json', JSON.stringify({ version: 1, rows: rows.map((row, i) => ({ provider: 'HttpPlatformHandler', level: 'error', record: i + 1, ...row })) }));

export const crashedEvent = (clock: string, pid: number, code = 1): Event => ({ at: at(clock), id: 1002, text: `Process '${pid}' listening on port '21453' crashed with exit code '${code}'.` });
export const startedEvent = (clock: string, pid: number): Event => ({ at: at(clock), id: 1001, level: 'info', text: `Process '${pid}' started successfully and is listening on port '21453'.` });

export const changes = (...rows: readonly Change[]): ArtifactReader => reader('changes', 'changes.json', JSON.stringify({ version: 1, changes: rows }));

export const stderr = (pid: number, text: string): ArtifactReader => reader('application-log', `Application-RD0003FF-${pid}-stderr-1795227000000.txt`, text);

/** What node prints when nothing catches. */
export const uncaught = (file = 'D:\\home\\site\\wwwroot\\lib\\cart.js'): string => `${file}:41
    const percent = voucher.discount.percent;
                                     ^

TypeError: Cannot read properties of undefined (reading 'percent')
    at applyVoucher (${file}:41:38)
    at Layer.handle (D:\\home\\site\\wwwroot\\node_modules\\express\\lib\\router\\layer.js:95:5)
    at listOnTimeout (node:internal/timers:581:17)

Node.js v20.20.2
`;

export function metrics(stepMs: number, from: number, series: readonly { metric: string; values: readonly (number | null)[]; process?: { pid: number; startedAt: number } }[], name = 'metrics-site.json'): ArtifactReader {
  const length = series[0]?.values.length ?? 0;
  const axis = Array.from({ length }, (_, i) => from + i * stepMs);
  return reader('metrics', name, JSON.stringify({ version: 1, series: { stepMs, from, to: from + Math.max(0, length - 1) * stepMs, at: axis, series } }));
}

/** Text that wants to be markup, an escape sequence, a path or an endless line. */
export const HOSTILE = ['</script><script>alert(1)</script>', '\u001b[31mred\u001b[0m\u0007', '\u202egpj.exe', '"><img src=x onerror=alert(1)>', '../../../../etc/passwd', '\u0000\u0008', 'a'.repeat(100_000)] as const;
