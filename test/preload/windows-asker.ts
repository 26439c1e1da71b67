// Owns the agent's end of the link on Windows, in a program of its own: listens to the app over its pipe, asks for a profile and a snapshot, says what came.
import { announced, listenTo, question } from './asking.ts';

const folder = process.argv[2] ?? '';

async function until<T>(probe: () => Promise<T> | T): Promise<T> {
  for (;;) {
    const seen = await Promise.resolve().then(probe).catch(() => undefined);
    if (seen !== undefined && seen !== false) return seen;
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}

async function main(): Promise<void> {
  const app = await until(() => announced(folder));
  const heard = listenTo(app);
  await until(() => heard.ticks.length > 0);
  const profile = await question(app, { what: 'cpu-profile', forS: 1 });
  const snapshot = await question(app, { what: 'heap-snapshot' });
  process.stdout.write(JSON.stringify({
    address: app.address, heap: heard.ticks[0]?.heap?.used, lost: heard.ticks.at(-1)?.lost,
    profile: (JSON.parse(profile.artifact.toString()) as { nodes: unknown[] }).nodes.length, snapshot: (JSON.parse(snapshot.artifact.toString()) as { nodes: unknown[] }).nodes.length,
    states: [...profile.states, ...snapshot.states].map(({ state }) => state),
  }));
  heard.close();
}

void main();
