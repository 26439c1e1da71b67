// Owns the long proof that near a memory limit no artifact of ours gets an app killed: 50 memory dumps of an app that writes all the time, 50 heap snapshots of one that grows, and how far what was predicted of them was from what happened.

interface Victim { stop(): Promise<void> }
interface Group { killed(): number; remove(): Promise<void> }
interface Taken { readonly predicted: { readonly stopMs: number; readonly peakBytes: number }; readonly actual: { readonly stopMs: number; readonly peakBytes?: number } }
type Tries = (platform: unknown, victim: Victim, group: Group, attempts: number, seen?: (taken: Taken, cpuMs: number) => void) => Promise<Readonly<Record<string, number>>>;
interface Support { makeMemoryGroup(name: string): Group | undefined; dumpsNearLimit: Tries; snapshotsNearLimit: Tries }
interface Real { readonly platform: unknown; victim(): Promise<Victim>; close(): Promise<void> }

const from = async (name: string): Promise<unknown> => await import(new URL(`../test/support/${name}.ts`, import.meta.url).href) as unknown;
const { makeMemoryGroup, dumpsNearLimit, snapshotsNearLimit } = await from('memory-group') as Support;
const { realPlatform } = await from('real-platform') as { realPlatform(): Promise<Real> };

const attempts = Number(process.argv[2]) || 50;
/** Both, or one of them: `soak-memory-limit.ts 50 snapshots`. */
const only = process.argv[3] ?? '';
const said = (name: string, told: number, seen: number): string => `${name} ${(told / seen).toFixed(2)}`;
const real = await realPlatform();
try {
  for (const [name, tries] of [['dumps', dumpsNearLimit], ['heap snapshots', snapshotsNearLimit]] as const) {
    if (!name.includes(only)) continue;
    const group = makeMemoryGroup(name.replace(' ', '-'));
    if (group === undefined) throw new Error('no memory group of version 1 can be made here: run it as root where memory is a group of its own');
    const victim = await real.victim();
    try {
      const began = performance.now();
      const ratios: string[] = [];
      const seen = ({ predicted, actual }: Taken, cpuMs: number): void => { ratios.push([said('stop', predicted.stopMs, actual.stopMs), `(${Math.round(actual.stopMs)} ms, ${Math.round(cpuMs)} of processor)`, ...(actual.peakBytes === undefined ? [] : [said('peak', predicted.peakBytes, actual.peakBytes)])].join(' ')); };
      const outcomes = name === 'dumps' ? await tries(real.platform, victim, group, attempts) : await tries(real.platform, victim, group, attempts, seen);
      process.stdout.write(`${attempts} ${name}: ${Object.entries(outcomes).map(([how, count]) => `${count} ${how}`).join(', ')}; the app answered after each; ${group.killed()} copies ended by the kernel; ${Math.round((performance.now() - began) / 1_000)} s\n`);
      if (ratios.length > 0) process.stdout.write(`predicted ÷ measured: ${ratios.join(', ')}\n`);
    } finally {
      await victim.stop();
      await group.remove();
    }
  }
} finally {
  await real.close();
}
