// Owns the words of shells: what one is to the page, its routes, and the messages of its socket.
import { z } from 'zod';
import { At, Offer } from './model.ts';
import { Ended, route, type Route } from './route.ts';

export const ShellId = z.string().regex(/^[a-f0-9]{12}$/);
export type ShellId = z.infer<typeof ShellId>;
export const ShellKind = z.enum(['bash', 'sh', 'cmd', 'powershell', 'pwsh']);
const Cols = z.number().int().min(2).max(1_000);
const Rows = z.number().int().min(1).max(500);
/** No control characters: a title stands in notices and in the audit. */
const Title = z.string().trim().min(1).max(60).regex(/^\P{C}+$/u, 'letters, digits and signs that can be seen');

export const ShellView = z.object({
  id: ShellId,
  title: z.string(),
  shell: ShellKind,
  by: z.enum(['pty', 'pipes']).describe('pipes: programs find no terminal, and lines are edited by the agent'),
  why: z.string().optional().describe('why there is no terminal'),
  openedBy: z.string(),
  openedAt: At,
  usedAt: At.describe('when a key was pressed last, or it was looked at'),
  busy: z.boolean().optional().describe('whether something runs in it; absent where nobody can tell, or when it has ended'),
  watched: z.boolean(),
  lostBytes: z.number().int().describe('of its output, no longer kept'),
  ended: z.object({ at: At, exitCode: z.number().int().optional(), signal: z.string().optional(), because: z.string() }).optional(),
});
export type ShellView = z.infer<typeof ShellView>;

export const ShellList = z.object({
  offer: Offer,
  kinds: z.array(z.object({ id: ShellKind, title: z.string() })),
  limit: z.number().int().describe('shells at once; a new one beyond it ends the one that is least recently used and not busy'),
  shells: z.array(ShellView),
});
export type ShellList = z.infer<typeof ShellList>;

const ShellParams = z.object({ shell: ShellId });
export const OpenShell = z.object({
  shell: ShellKind.optional().describe('default: the first that is there'),
  cwd: z.string().min(1).max(1_000).optional().describe('an absolute folder; default: the home'),
  cols: Cols.default(80), rows: Rows.default(24),
  title: Title.optional(),
});

export const shellRoutes = {
  shells: route({ method: 'GET', path: '/api/shells', summary: 'Shells that are open or have just ended, the oldest first, and what can be opened here', answers: { 200: ShellList } }),
  openShell: route({ method: 'POST', path: '/api/shells', summary: 'Open a shell; its terminal is the socket /shell?id= (binary: keys and output)', body: OpenShell, answers: { 200: z.object({ shell: ShellView, ended: ShellView.optional().describe('which one had to give way') }) } }),
  renameShell: route({ method: 'PUT', path: '/api/shells/:shell', summary: 'Give a shell another title', params: ShellParams, body: z.object({ title: Title }), answers: { 200: ShellView } }),
  endShell: route({ method: 'DELETE', path: '/api/shells/:shell', summary: 'End a shell with everything that runs in it, and forget it', params: ShellParams, answers: { 200: Ended } }),
} as const satisfies Record<string, Route>;

/** Binary frames from the page are keys. `seen`: bytes of output since the hello that the terminal has drawn; the agent sends at most a window beyond it. */
export const ShellFromPage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('size'), cols: Cols, rows: Rows }),
  z.object({ type: z.literal('seen'), bytes: z.number().int().nonnegative() }),
]);
export type ShellFromPage = z.infer<typeof ShellFromPage>;

/** Binary frames to the page are output. */
export const ShellToPage = z.discriminatedUnion('type', [
  /** replayBytes: so many of the bytes that follow are of before; the terminal's answers to them are not sent. */
  z.object({ type: z.literal('hello'), shell: ShellView, replayBytes: z.number().int(), lostBytes: z.number().int() }),
  z.object({ type: z.literal('shell'), shell: ShellView }),
  /** Output that this page was too slow for; the following bytes come after the gap. */
  z.object({ type: z.literal('lost'), bytes: z.number().int() }),
  /** Keys that found no room, since nothing reads them. */
  z.object({ type: z.literal('unread'), bytes: z.number().int() }),
  z.object({ type: z.literal('taken'), who: z.string() }),
  z.object({ type: z.literal('refused'), code: z.string(), detail: z.string() }),
]);
export type ShellToPage = z.infer<typeof ShellToPage>;
