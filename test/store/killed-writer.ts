// Owns the victim of the kill tests: an agent's store that works without pause and says each step, so that the test knows what must be there.
import { once } from 'node:events';
import { openStore } from '../../src/store/open.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { platformAt, reportOf, session } from './open-here.ts';

const [home = '', instance = '', historyFrom = ''] = process.argv.slice(2);
const platform = { ...await platformAt({ home, instance }), clock: systemClock };
const store = await openStore({ platform });
await store.sessions.recover(systemClock.now());

const say = (...words: (string | number)[]): void => { process.stdout.write(`${words.join(' ')}\n`); };

/** One session after the other, each with two artifacts (one written by path, one as a stream) and a report. */
async function sessions(): Promise<never> {
  for (;;) {
    const id = await store.sessions.nextId();
    const record = session(id, systemClock.now(), { instance, steps: [{ id: 'x', stage: 'collect', title: 'X', state: 'done' }, { id: 'y', stage: 'collect', title: 'Y', state: 'running' }, { id: 'z', stage: 'analyze', title: 'Z', state: 'waiting' }] });
    await store.sessions.save(record);
    say('session', id);
    const writer = store.artifacts.writer(id);
    for (const name of ['one.txt', 'two.bin']) {
      const draft = await writer.draft('application-log', name);
      say('draft');
      const stream = draft.stream();
      for (let i = 0; i < 40; i += 1) if (!stream.write(`${id} ${name} ${i}\n`.repeat(500))) await once(stream, 'drain');
      stream.write('END');
      say('written');
      await draft.commit({ note: name });
      say('committed', id, name);
    }
    await store.sessions.saveReport(reportOf(id, systemClock.now(), platform), `<html>${'x'.repeat(200_000)}</html>`);
    say('report', id);
    await store.sessions.save({ ...record, state: 'done', artifacts: [...writer.refs], report: true, endedAt: systemClock.now() });
    say('done', id);
    // What ages out is removed while we may be killed; the newest stay.
    for (const old of (await store.sessions.list()).sessions.slice(5)) { await store.sessions.remove(old.id); say('removed', old.id); }
  }
}

/** Seconds of synthetic time, faster than real ones: the ring is gone around while we are killed. */
async function history(): Promise<never> {
  for (let at = Number(historyFrom); ;) {
    for (let i = 0; i < 100; i += 1, at += 1_000) {
      store.history.write(1_000, { at, values: { 'site.cpu': at % 9_973, 'http.requests': at % 7_919 } });
      store.history.write(1_000, { at, process: { pid: process.pid, startedAt: 1 }, values: { 'process.cpu': at % 9_973 } });
    }
    await store.history.flush();
    say('flushed', at - 1_000);
  }
}

async function journal(): Promise<never> {
  for (let n = 0; ; n += 1) {
    await store.changes.append({ id: `${process.pid}-${n}`, at: systemClock.now(), kind: 'agent', level: 'neutral', title: 'x'.repeat(n % 300) });
    say('journal', n);
  }
}

await Promise.all([sessions(), history(), journal()]);
