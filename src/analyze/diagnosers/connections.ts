// Owns the list of a process's TCP connections, counted by remote end and state.
import { z } from 'zod';
import type { ConnectionsFile } from '../../shared/artifacts.ts';
import { count, plural } from '../../shared/units.ts';
import type { Diagnoser } from '../contracts.ts';
import { isOutbound, endsOf } from '../parse/tcp-ends.ts';
import { theTarget, withTarget } from '../target.ts';
import { writeJson } from '../write.ts';

export const connections: Diagnoser = {
  id: 'connections',
  title: 'Open connections',
  about: 'TCP connections of the process by remote end and state: what runs out of ports, what is not answered, what is never given back.',
  options: z.strictObject({}),
  cost: 'free',
  preselected: true,
  produces: ['connections'],
  offered: (target, platform) => withTarget(target, platform.can('connections')),
  async collect(run) {
    const { pid } = theTarget(run);
    const found = await run.platform.connections([pid], run.cancel);
    const file: ConnectionsFile = { version: 1, at: run.platform.clock.now(), ...endsOf(found) };
    const outbound = file.ends.filter(isOutbound);
    const [top] = outbound;
    await writeJson(run, 'connections', 'connections.json', file);
    run.progress(`${plural(found.length, 'connection')}${top === undefined ? ', none to the outside' : `, most of them outward to ${top.remote}: ${count(top.count)} ${top.state}`}`, 1);
  },
};
