// Owns the run of the contract on each door of this machine and on the fake.
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PlatformSettings } from '../../src/platform/choose.ts';
import type { EventLogRow } from '../../src/platform/platform.ts';
import { fakePlatform } from '../support/fake-platform.ts';
import { realPlatform } from '../support/real-platform.ts';
import type { Victim } from '../support/victim.ts';
import { contract, type World } from './contract.ts';

async function real(settings: Partial<PlatformSettings>): Promise<World> {
  const { platform, victim, close } = await realPlatform(settings);
  const victims = new Map<number, Victim>();
  const events: string[] = [];
  const file = join(platform.host.folders.logs, 'eventlog.xml');
  return {
    platform, close,
    self: process.pid,
    start: async () => {
      const made = await victim({ env: { MARK: 'contract' } });
      victims.set(made.pid, made);
      return { pid: made.pid, child: Number((await made.do('spawn-child')).pid) };
    },
    kill: async (pid) => { await victims.get(pid)?.stop(); },
    event: async (at, text) => {
      events.push(`<Event><System><Provider Name="test"/><EventID>1</EventID><Level>1</Level><TimeCreated SystemTime="${new Date(at).toISOString()}"/></System><EventData><Data>${text}</Data></EventData></Event>`);
      await writeFile(`${file}.part`, `<Events>${events.join('')}</Events>`);
      await rename(`${file}.part`, file);
    },
  };
}

async function fake(): Promise<World> {
  const platform = await fakePlatform();
  const rows: EventLogRow[] = [];
  let next = 5_000;
  return {
    platform,
    self: 300,
    start: async () => {
      const [pid, child] = [next++, next++];
      platform.put({ pid, parent: 1 }, { workingSetBytes: 1 });
      platform.put({ pid: child, parent: pid });
      platform.setEnvironment(pid, [{ name: 'MARK', value: 'contract' }]);
      return { pid, child };
    },
    kill: async (pid) => { platform.vanish(pid); platform.vanish(pid + 1); },
    event: async (at, text) => {
      rows.push({ at, id: 1, provider: 'test', level: 'error', text });
      platform.setEventLog(rows);
    },
    close: () => platform.remove(),
  };
}

contract('fake', fake);
contract('linux', () => real({}));
// Without environments the portable list shows everything of our user: the victims are among them.
contract('portable', () => real({ portable: { listEveryMs: 100 } }));
