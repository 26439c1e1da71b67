// Owns LogFiles/eventlog.xml: a ring of the last 1000 events, always a whole file under its name.
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWhole, xml } from './files.ts';

/** App Service keeps this many events; the oldest goes when one more comes. */
export const EVENTS_KEPT = 1000;

export const level = { error: 1, warning: 2, information: 4 } as const;

export interface EventRow {
  readonly at: number;
  readonly provider: string;
  readonly id: number;
  readonly level: number;
  readonly text: string;
}

export interface EventLog {
  add(row: Omit<EventRow, 'at'>): void;
  /** Resolves when every event added so far is on disk. Rejects when the file could not be written. */
  flushed(): Promise<void>;
}

/** Opens the log in `folder`, keeping the events that are there. A file that cannot be read as events is put aside as `eventlog.prev.xml`. */
export async function openEventLog(folder: string, computer: string): Promise<EventLog> {
  const path = join(folder, 'eventlog.xml');
  const events = await readEvents(path);
  let recordId = events.reduce((highest, event) => Math.max(highest, recordIdOf(event)), 0);
  let writing: Promise<void> | undefined;
  let dirty = false;

  async function save(): Promise<void> {
    while (dirty) {
      dirty = false;
      await writeWhole(path, `<?xml version="1.0" encoding="utf-8"?>\n<Events>\n${events.join('\n')}\n</Events>\n`);
    }
  }

  return {
    add(row) {
      recordId += 1;
      events.push(eventText({ ...row, at: Date.now() }, recordId, computer));
      if (events.length > EVENTS_KEPT) events.splice(0, events.length - EVENTS_KEPT);
      dirty = true;
      // A failed write leaves the events in memory; the next event writes them all again.
      writing ??= Promise.resolve().then(save).catch(() => undefined).finally(() => { writing = undefined; });
    },
    async flushed() {
      while (writing !== undefined) await writing;
      if (dirty) await save();
    },
  };
}

/** One event in App Service's form. */
export function eventText(row: EventRow, recordId: number, computer: string): string {
  return (
    `<Event><System><Provider Name="${xml(row.provider)}"/><EventID>${row.id}</EventID><Level>${row.level}</Level>` +
    `<Task>0</Task><Keywords>Keywords</Keywords><TimeCreated SystemTime="${new Date(row.at).toISOString()}"/>` +
    `<EventRecordID>${recordId}</EventRecordID><Channel>Application</Channel><Computer>${xml(computer)}</Computer><Security/>` +
    `</System><EventData><Data>${xml(row.text)}</Data></EventData></Event>`
  );
}

async function readEvents(path: string): Promise<string[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw cause;
  }
  // Only this program's own form is read back, so its end tags are enough; texts inside are escaped.
  const events = text.match(/<Event>.*?<\/Event>/gs) ?? [];
  if (events.length === 0 || !text.trimEnd().endsWith('</Events>')) {
    await rename(path, path.replace(/\.xml$/, '.prev.xml'));
  }
  return events.slice(-EVENTS_KEPT);
}

function recordIdOf(event: string): number {
  return Number(/<EventRecordID>(\d{1,15})<\/EventRecordID>/.exec(event)?.[1] ?? 0);
}
