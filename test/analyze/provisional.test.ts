// Owns the proof that a session says a first word while it still collects, and that the end has the last one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { causes } from '../../src/analyze/analyzers/causes.ts';
import { Report } from '../../src/shared/model.ts';
import { waitFor } from '../support/wait.ts';
import { FIELDS } from './artifacts.ts';
import { diagnoser, world } from './world.ts';

/** What a slow step waits for. */
function gate(): { readonly open: () => void; readonly passed: Promise<void> } {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => { open = resolve; });
  return { open: () => { open(); }, passed };
}

test('while a slow diagnoser still works, the causes over what is there are told as provisional; the report decides', async () => {
  const here = await world();
  const slow = gate();
  try {
    const at = here.platform.clock.now();
    const time = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
    const rows = Array.from({ length: 40 }, (_, i) => `${time(at - 60_000 + i * 1_000)} SHOP GET /export - 443 - 10.0.0.1 Mozilla - - h ${i % 8 === 7 ? '502 3 12002 1 1 120010' : '200 0 0 1 1 20'}`);
    const http = diagnoser('http-logs', async (run) => {
      const draft = await run.artifacts.draft('http-log', 'raw.log');
      draft.stream().end(`${FIELDS}\r\n${rows.join('\r\n')}\r\n`);
      await draft.commit();
    });
    const dump = diagnoser('memory-dump', async () => { await slow.passed; });
    const sessions = here.sessions({ diagnosers: [http, dump], analyzers: [causes] });
    const running = await sessions.start({ askedBy: 'test' });
    await waitFor('the rows to be collected', () => Promise.resolve(running.session.artifacts.length === 1));
    const said = (): string | undefined => running.session.provisional?.text;
    assert.equal(said(), undefined);
    await here.platform.clock.advance(4_000);
    await waitFor('a first word', () => Promise.resolve(said() !== undefined));
    assert.match(said() ?? '', /^GET \/export takes longer than the handler in front of the app waits/);
    assert.equal(running.session.state, 'running');
    slow.open();
    const session = await running.done;
    const report = Report.parse(await here.store.sessions.report(session.id));
    assert.equal(report.headline.text, session.headline);
    assert.equal(report.causes[0]?.id, 'handler-time-limit');
    assert.equal(report.accounting?.failed, 5);
  } finally {
    slow.open();
    await here.close();
  }
});
