// Owns what the page can look into: memory dumps, profiles and heap snapshots of a session, each by its own reader.
import type { DumpRead } from '../shared/dump-read.ts';
import { DumpRead as DumpForm } from '../shared/dump-read.ts';
import { HeapReport } from '../shared/heap.ts';
import { ProfileReport } from '../shared/profile.ts';
import { readingOf } from '../analyze/dump/reading.ts';
import { heapReportInThread } from '../analyze/heap/thread.ts';
import { profileInThread } from '../analyze/profile/reading.ts';
import type { Parts } from './agent.ts';
import { createArtifactReads, createReadTurns, type ArtifactReads } from './artifact-reads.ts';

export interface Looks { readonly dumps: ArtifactReads<DumpRead>; readonly profiles: ArtifactReads<ProfileReport>; readonly heaps: ArtifactReads<HeapReport> }

export function createLooks(parts: Parts, thread: string | undefined): Looks {
  const turns = createReadTurns();
  return {
    dumps: createArtifactReads(parts, turns, {
      operation: 'read-dump', artifacts: ['core-dump', 'minidump'], word: 'memory dump', form: DumpForm, notRead: 'DUMP_NOT_READ', unreadable: 'DUMP_UNREADABLE', command: 'diag dump-read',
      read: ([path = ''], signal, progress) => readingOf({ path, thread, signal, progress: ({ note, fraction }) => { progress(note, fraction); } }),
    }),
    profiles: createArtifactReads(parts, turns, {
      operation: 'read-profile', artifacts: ['cpu-profile', 'heap-profile'], word: 'profile', form: ProfileReport, notRead: 'PROFILE_NOT_READ', unreadable: 'PROFILE_UNREADABLE', command: 'diag profile',
      read: ([path = ''], signal, progress) => { progress('reading', 0); return profileInThread({ path, thread, signal }); },
    }),
    heaps: createArtifactReads(parts, turns, {
      operation: 'read-heap', artifacts: ['heap-snapshot'], word: 'heap snapshot', form: HeapReport, notRead: 'HEAP_NOT_READ', unreadable: 'HEAP_UNREADABLE', command: 'diag heap',
      read: ([path = '', ...bases], signal, progress) => heapReportInThread({ path, bases }, signal, (fraction) => { progress('reading', fraction); }),
    }),
  };
}
