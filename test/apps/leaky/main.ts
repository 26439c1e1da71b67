// Owns an app that leaks while its heap is tracked: three snapshots into the folder that is its argument; in the second round a table is filled once.
import { closeSync, openSync, writeSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';
import { fill, remember } from './store.ts';

const session = new Session();
session.connect();
session.post('HeapProfiler.startTrackingHeapObjects', { trackAllocations: true });
for (let round = 1; round <= 3; round++) {
  for (let i = 0; i < 3_000; i++) remember(round * 10_000 + i);
  if (round === 2) fill(5_000);
  const file = openSync(join(process.argv[2] ?? '', `${round}.heapsnapshot`), 'w');
  const keep = (message: { params: { chunk: string } }): void => { writeSync(file, message.params.chunk); };
  session.on('HeapProfiler.addHeapSnapshotChunk', keep);
  session.post('HeapProfiler.takeHeapSnapshot');
  session.off('HeapProfiler.addHeapSnapshotChunk', keep);
  closeSync(file);
}
// The inspector would keep the process.
process.exit(0);
