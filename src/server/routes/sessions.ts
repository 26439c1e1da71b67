// Owns the routes of Diagnose Now: diagnosers, sessions, their reports, bundles and artifacts.
import type { Agent } from '../../agent/agent.ts';
import type { Handlers } from '../mount.ts';
import { sendFile } from '../files.ts';

type Mine = Pick<Handlers, 'diagnosers' | 'startSession' | 'sessions' | 'session' | 'deleteSession' | 'pinSession' | 'sessionReport' | 'sessionPage' | 'sessionBundle' | 'sessionArtifact' | 'readDump' | 'dump' | 'readProfile' | 'profile' | 'readHeap' | 'heap'>;

/** The report's own meta policy names the hash of its script; sandboxed it has no origin, so even a hole in it reaches neither cookie nor API. */
const REPORT_CSP = "sandbox allow-scripts allow-popups allow-downloads; frame-ancestors 'none'";

export function sessionRoutes(agent: Agent): Mine {
  const { sessions } = agent.store;
  return {
    diagnosers: async ({ query }) => ({ diagnosers: agent.diagnosers(query.pid) }),
    startSession: async ({ body, who }) => agent.diagnose(body, who),
    sessions: async () => {
      const { sessions: kept, unreadable } = await sessions.list();
      return { sessions: [...kept], unreadable };
    },
    session: async ({ params }) => sessions.get(params.session),
    deleteSession: async ({ params, who }) => {
      await agent.remove(params.session);
      await agent.audit(who, 'delete session', params.session, 'deleted');
      return { ok: true };
    },
    pinSession: async ({ params, body, who }) => {
      const session = await agent.pin(params.session, body.pinned);
      await agent.audit(who, body.pinned ? 'pin session' : 'unpin session', params.session, 'done');
      return session;
    },
    sessionReport: async ({ params }) => sessions.report(params.session),
    sessionPage: async ({ params, req, res, signal }) => {
      const path = await sessions.reportPath(params.session, 'report.html');
      res.setHeader('content-security-policy', REPORT_CSP);
      await sendFile(req, res, path, { type: 'text/html; charset=utf-8' }, signal);
    },
    sessionBundle: async ({ params, who, req, res, signal }) => {
      const path = await agent.bundle(params.session, signal);
      await agent.audit(who, 'download bundle', params.session, 'sent');
      await sendFile(req, res, path, { type: 'application/zip', name: `diag-${agent.platform.host.app.site.replace(/[^\w.-]/g, '_')}-${params.session}.zip` }, signal);
    },
    readDump: async ({ params, who }) => agent.looks.dumps.start(params, who),
    dump: async ({ params }) => agent.looks.dumps.get(params),
    readProfile: async ({ params, who }) => agent.looks.profiles.start(params, who),
    profile: async ({ params }) => agent.looks.profiles.get(params),
    readHeap: async ({ params, query, who }) => agent.looks.heaps.start(params, who, baseOf(params, query)),
    heap: async ({ params, query }) => agent.looks.heaps.get(params, baseOf(params, query)),
    sessionArtifact: async ({ params, who, req, res, signal }) => {
      const path = await agent.store.artifacts.path(params);
      await agent.audit(who, 'download artifact', `${params.session}/${params.instance}/${params.name}`, 'sent');
      await sendFile(req, res, path, { type: 'application/octet-stream', name: params.name }, signal);
    },
  };
}

/** Another snapshot of the same session. */
function baseOf({ session, instance }: { session: string; instance: string }, { base }: { base?: string | undefined }): { session: string; instance: string; name: string } | undefined {
  return base === undefined ? undefined : { session, instance, name: base };
}
