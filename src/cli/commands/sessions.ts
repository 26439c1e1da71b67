// Owns `diag sessions`: what is kept, newest first.
import { bytes, plural, utc } from '../../shared/units.ts';
import type { Remote } from '../options.ts';
import { print, printJson, safeLine, table } from '../print.ts';
import { withAgent } from '../reach.ts';

export async function sessions(options: Remote): Promise<void> {
  await withAgent(options, async ({ diag }) => {
    const answer = await diag.sessions();
    if (options.json) { printJson(answer); return; }
    if (answer.sessions.length === 0) print('No session is kept. Start one with: diag diagnose');
    else {
      const rows = answer.sessions.map((s) => [s.id, utc(s.madeAt), s.state, s.pinned ? 'pinned' : '', bytes(s.artifacts.reduce((sum, a) => sum + a.bytes, 0)), safeLine(s.headline ?? '')]);
      print(table(['Session', 'Started', 'State', '', 'Size', 'What it found'], rows, [4]));
    }
    if (answer.unreadable > 0) print(`${plural(answer.unreadable, 'session record')} could not be read.`);
  });
}
