// Owns the routes of shells: list, open, rename, end; their terminals are sockets (shell-socket.ts).
import type { Agent } from '../../agent/agent.ts';
import type { Handlers } from '../mount.ts';

type Mine = Pick<Handlers, 'shells' | 'openShell' | 'renameShell' | 'endShell'>;

export function shellRoutes({ shells }: Agent): Mine {
  return {
    shells: () => shells.list(),
    openShell: ({ body, who }) => shells.open(body, who),
    renameShell: ({ params, body, who }) => shells.rename(params.shell, body.title, who),
    endShell: async ({ params, who }) => {
      await shells.end(params.shell, who);
      return { ok: true };
    },
  };
}
