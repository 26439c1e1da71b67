// Owns the contract on Windows: the same tests as on every other door, run by the real node.exe (bundled and started by windows.test.ts).
import { randomBytes } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openPlatform } from '../../src/platform/choose.ts';
import { freePort } from '../support/free-port.ts';
import { openSteer, type WindowsVictim } from '../support/windows-steer.ts';
import { contract, type World } from './contract.ts';

async function windows(): Promise<World> {
  const steer = await openSteer();
  const top = process.env['TOP'] ?? '';
  const marks = { WEBSITE_SITE_NAME: 'shop', WEBSITE_INSTANCE_ID: randomBytes(32).toString('hex') };
  const platform = await openPlatform({ home: join(top, 'contract-home'), temp: join(top, 'temp'), env: { ...process.env, PATH: dirname(process.execPath), ...marks } });
  const victims = new Map<number, WindowsVictim>();
  const events: string[] = [];
  const file = join(platform.host.folders.logs, 'eventlog.xml');
  return {
    platform,
    self: process.pid,
    start: async () => {
      // Tests that run at the same time would fight for the one default port.
      const made = await steer.victim({ env: { ...marks, MARK: 'contract' }, nodeOptions: [`--inspect-port=${await freePort()}`] });
      victims.set(made.pid, made);
      return { pid: made.pid, child: Number((await made.do('spawn-child'))['pid']) };
    },
    // Under wine each KiB of a dump goes through its server: of node.exe it takes ten times as long.
    startSmall: async () => {
      const made = await steer.victim({ env: marks, program: 'cmd.exe' });
      victims.set(made.pid, made);
      return made.pid;
    },
    kill: async (pid) => { await victims.get(pid)?.kill(); },
    event: async (at, text) => {
      events.push(`<Event><System><Provider Name="test"/><EventID>1</EventID><Level>1</Level><TimeCreated SystemTime="${new Date(at).toISOString()}"/></System><EventData><Data>${text}</Data></EventData></Event>`);
      await writeFile(`${file}.part`, `<Events>${events.join('')}</Events>`);
      await rename(`${file}.part`, file);
    },
    close: async () => { steer.close(); },
  };
}

contract('windows', windows);
