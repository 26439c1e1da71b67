// Owns the reading of lists of connections: outbound ones by remote end, with what state they are in.
import type { ConnectionsFile } from '../../shared/artifacts.ts';
import { isOutbound } from '../parse/tcp-ends.ts';
import type { ConnectionsEvent, RemoteEnd } from './event.ts';

export function connectionsOf(file: ConnectionsFile): ConnectionsEvent {
  const byRemote = new Map<string, RemoteEnd>();
  for (const end of file.ends.filter(isOutbound)) {
    const known = byRemote.get(end.remote) ?? { remote: end.remote, count: 0, waiting: 0, opening: 0, left: 0, open: 0 };
    const by = (states: RegExp): number => (states.test(end.state) ? end.count : 0);
    byRemote.set(end.remote, {
      remote: end.remote, count: known.count + end.count, waiting: known.waiting + by(/TIME.?WAIT|CLOSE.?WAIT|SYN.?SENT/i),
      opening: known.opening + by(/SYN.?SENT/i), left: known.left + by(/CLOSE.?WAIT/i), open: known.open + by(/^ESTAB/i),
    });
  }
  const total = file.ends.reduce((n, e) => n + (/^LISTEN/i.test(e.state) ? 0 : e.count), 0);
  return { at: file.at, total, byRemote: [...byRemote.values()].sort((a, b) => b.count - a.count || (a.remote < b.remote ? -1 : 1)), proof: { where: 'connections.json' } };
}
