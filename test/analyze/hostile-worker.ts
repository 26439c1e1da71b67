// A worker entry whose analyzers do everything that an analyzer must not; built by run-analyzers.test.ts.
import { createHash } from 'node:crypto';
import { threadId } from 'node:worker_threads';
import type { Finding } from '../../src/shared/model.ts';
import type { Analyzer } from '../../src/analyze/contracts.ts';
import { serve } from '../../src/analyze/worker.ts';

const uses = new WeakMap<object, number>();
const finding = (title: string): Finding => ({ id: 'seen', area: 'application', severity: 'info', title, why: '', advice: '', evidence: [], mitigations: [] });
const analyzer = (id: string, analyze: Analyzer['analyze']): Analyzer => ({ id, title: id, needs: [], uses: ['application-log', 'http-log'], analyze });

export const hostile: readonly Analyzer[] = [
  analyzer('reads', async (given, { window }) => {
    const hash = createHash('sha256');
    for (const reader of given['application-log'] ?? []) for await (const chunk of reader.stream()) hash.update(chunk as Buffer);
    return [finding(`${given['application-log']?.length} ${hash.digest('hex').slice(0, 8)} ${window.to - window.from}`)];
  }),
  analyzer('throws', async () => { throw new TypeError('not what I expected'); }),
  analyzer('rejects-late', async () => { setImmediate(() => { throw new Error('out of the blue'); }); await new Promise(() => undefined); return []; }),
  analyzer('exits', async () => process.exit(3)),
  analyzer('loops', async () => { for (;;) { /* for ever */ } }),
  analyzer('eats', async () => { const kept: unknown[] = []; for (;;) kept.push(Array.from({ length: 100_000 }, (_, i) => ({ i }))); }),
  analyzer('cannot-be-sent', async () => [{ ...finding('x'), why: (() => 'a function') as unknown as string }]),
  analyzer('prints', async () => { process.stdout.write('x'.repeat(1_000_000)); return [finding('printed')]; }),
  // How often the artifact was read by analyzers of this thread, and which thread it is.
  analyzer('counts', async (given) => {
    const readers = given['http-log'] ?? [];
    const seen = (uses.get(readers) ?? 0) + 1;
    uses.set(readers, seen);
    return [finding(`${threadId} ${seen}`)];
  }),
  analyzer('still-good', async () => [finding('still good')]),
];

serve(hostile);
