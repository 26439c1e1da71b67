// Owns the canned answers of one process looked at closely and of the environment: a usual one, and one with 10,000 rows.
import type { ComparedEntry, Comparison, EnvironmentEntry, EnvironmentView, Snapshots, Surroundings } from '../../src/shared/environment.ts';
import { MASK } from '../../src/shared/mask-pairs.ts';
import type { ProcessSearch } from '../../src/shared/processes.ts';
import { app, T, WORKER } from './stage-data.ts';

const rows = <R>(few: readonly R[], many: number, make: (i: number) => R): R[] => [...few, ...Array.from({ length: many }, (_, i) => make(i))];
const MANY = 9_990;

export const modules = (many: boolean): object => ({ more: 0, modules: rows([
  { path: 'D:\\Program Files\\nodejs\\node.exe', address: '0x7ff6a0000000', sizeBytes: 88_080_384, version: '20.20.2.0' },
  { path: 'C:\\Windows\\System32\\ntdll.dll', address: '0x7ffd3a000000', sizeBytes: 2_064_384, version: '10.0.20348.2582' },
  { path: 'D:\\home\\site\\wwwroot\\node_modules\\sharp\\build\\Release\\sharp-win32-x64.node', address: '0x7ffd10000000', sizeBytes: 421_888 },
], many ? MANY : 0, (i) => ({ path: `D:\\home\\site\\wwwroot\\bin\\Contoso.Shop.Part${i}.dll`, address: `0x7ffc${i.toString(16).padStart(8, '0')}`, sizeBytes: 40_960 + i, version: `4.2.${i}.0` })) });

export const threads = (many: boolean): object => ({ more: 0, threads: rows([
  { id: 6_120, name: 'node', state: 'running', cpuMs: 18_400, userMs: 17_100, kernelMs: 1_300, startedAt: WORKER.startedAt, priority: 8 },
  { id: 6_121, name: 'V8Worker', state: 'waiting', waitsIn: 'futex_do_wait', cpuMs: 410, userMs: 400, kernelMs: 10, startedAt: WORKER.startedAt, priority: 8 },
  { id: 6_125, name: 'libuv-worker', state: 'uninterruptible', waitsIn: 'rpc_wait_bit_killable', cpuMs: 90, userMs: 20, kernelMs: 70, startedAt: WORKER.startedAt, priority: 8 },
], many ? MANY : 8, (i) => ({ id: 6_130 + i, name: 'libuv-worker', state: 'waiting', waitsIn: 'futex_do_wait', cpuMs: i, userMs: i, kernelMs: 0, startedAt: WORKER.startedAt, priority: 8 })) });

export const connections = (many: boolean): object => ({ more: 0, unasked: many ? 9_000 : 1, connections: rows([
  { localHost: '127.0.0.1', localPort: 21_453, remoteHost: '0.0.0.0', remotePort: 0, state: 'LISTEN' },
  { localHost: '10.0.0.12', localPort: 50_122, remoteHost: '10.2.0.4', remotePort: 1_433, state: 'ESTABLISHED', name: 'shop-sql.database.windows.net', by: 'app' },
  { localHost: '10.0.0.12', localPort: 50_140, remoteHost: '20.42.7.9', remotePort: 443, state: 'CLOSE_WAIT', name: 'payments-eu-1.example', by: 'dns' },
  { localHost: '127.0.0.1', localPort: 21_453, remoteHost: '127.0.0.1', remotePort: 60_112, state: 'ESTABLISHED', name: 'this machine', by: 'machine' },
  { localHost: '10.0.0.12', localPort: 50_201, remoteHost: '203.0.113.7', remotePort: 443, state: 'SYN_SENT' },
], many ? MANY : 0, (i) => ({ localHost: '10.0.0.12', localPort: 10_000 + i, remoteHost: `10.9.${i >> 8}.${i & 255}`, remotePort: 443, state: 'TIME_WAIT' })) });

export const stack: object = { at: T, idle: false, waitedMs: 3, more: 0, frames: [
  { text: 'applyVoucher (D:\\home\\site\\wwwroot\\lib\\cart.js:41:27)', ours: true },
  { text: 'handle (D:\\home\\site\\wwwroot\\node_modules\\express\\lib\\router\\layer.js:95:5)', ours: false },
  { text: 'emit (node:events:518:28)', ours: false },
] };

export const search = (many: boolean, text: string): ProcessSearch => ({
  at: T, more: many ? 12_400 : 0, searched: many ? 180 : 5, of: many ? 305 : 5, complete: !many, tookMs: many ? 5_003 : 41,
  refused: [{ pid: 2_210, name: 'w3wp.exe', why: 'The system does not let us list the program files of process 2210: OpenProcess: ERROR_ACCESS_DENIED (5).' }],
  missing: [{ kind: 'files', because: 'Windows names what another process has open only through calls that can hang' }],
  found: rows([{ pid: WORKER.pid, startedAt: WORKER.startedAt, name: WORKER.name, role: 'worker' as const, kind: 'modules' as const, text: `D:\\home\\site\\wwwroot\\node_modules\\${text}\\build\\Release\\${text}.node` }], many ? 4_000 : 2, (i) => ({ pid: WORKER.pid, startedAt: WORKER.startedAt, name: WORKER.name, role: 'worker' as const, kind: 'modules' as const, text: `C:\\Windows\\System32\\${text}-${i}.dll` })),
});

export const environment = (many: boolean, empty: boolean): EnvironmentView => ({
  at: T, instance: app.instance, machine: 'RD0003FF', repeated: 14,
  of: empty ? { kind: 'agent', process: { pid: 2_904, startedAt: T - 86_400_000, name: 'node.exe' }, because: 'no process of the app is running' } : { kind: 'app', process: { pid: WORKER.pid, startedAt: WORKER.startedAt, name: WORKER.name } },
  entries: empty ? [] : rows<EnvironmentEntry>([
    { group: 'setting' as const, name: 'CartUrl', variable: 'APPSETTING_CartUrl', value: 'https://cart.contoso.com', masked: false },
    { group: 'setting' as const, name: 'PaymentKey', variable: 'APPSETTING_PaymentKey', value: MASK, masked: true },
    { group: 'connection' as const, name: 'Shop', variable: 'SQLAZURECONNSTR_Shop', type: 'Azure SQL', value: MASK, masked: true },
    { group: 'variable' as const, name: 'NODE_ENV', variable: 'NODE_ENV', value: 'production', masked: false },
    { group: 'variable' as const, name: 'PATH', variable: 'PATH', value: 'D:\\Program Files\\nodejs;D:\\Program Files\\Git\\cmd;C:\\Windows\\system32;C:\\Windows;D:\\Program Files\\dotnet', masked: false },
    { group: 'variable' as const, name: 'WEBSITE_SITE_NAME', variable: 'WEBSITE_SITE_NAME', value: 'contoso-shop', masked: false },
  ], many ? MANY : 0, (i) => ({ group: 'variable' as const, name: `FEATURE_${i}`, variable: `FEATURE_${i}`, value: `on-${i}`, masked: false })),
  limits: empty ? [] : [
    { id: 'memory', title: 'Memory', group: 'site', value: 1_500_000_000, limit: 1_752_000_000, share: 0.856, near: true, unit: 'bytes' },
    { id: 'disk', title: 'Disk of the home', group: 'site', value: 3_000_000_000, limit: 10_737_418_240, share: 0.279, near: false, unit: 'bytes' },
    { id: 'app activeConnections', title: 'Active connections', group: 'app', value: 1_910, limit: 1_920, share: 0.9948, near: true, unit: 'count' },
    { id: 'app namedPipes', title: 'Named pipes', group: 'app', value: 14, limit: 128, share: 0.109, near: false, unit: 'count' },
    { id: 'clr bytesInAllHeaps', title: 'Bytes in all heaps', group: 'clr', value: 91_000_000, near: false, unit: 'bytes' },
  ],
});

export const surroundings: Surroundings = { at: T, runtimes: [
  { name: 'Node.js', path: 'D:\\Program Files\\nodejs\\node.exe', version: '20.20.2' }, { name: 'npm', path: 'D:\\Program Files\\nodejs\\node_modules\\npm', version: '10.8.2' },
  { name: 'PHP', path: 'D:\\Program Files\\PHP\\php.exe', version: '8.2.9' }, { name: 'Java', path: 'D:\\Program Files\\Java\\bin\\java.exe', because: 'D:\\Program Files\\Java\\bin\\java.exe took longer than 5 s.' },
], facts: [{ id: 'os', title: 'System', value: 'Windows Server 2022 Datacenter, 10.0.20348' }, { id: 'processors', title: 'Processors', value: '2, AMD EPYC 7763 at 2,445 MHz' }, { id: 'memory', title: 'Memory of the machine', value: '7 GiB' }] };

const INSTANCES = ['4a1f9c', 'b7702e'] as const;
export const snapshots = (empty: boolean): Snapshots => ({ at: T, maxMoments: 30, unreadable: empty ? 0 : 1, instances: empty ? [] : INSTANCES.map((name, i) => ({ ref: `instance:${name}`, at: T - 60_000 * (i * 300 + 2), instance: name, machine: `RD0003F${i}`, of: 'app', entries: 128 })), moments: empty ? [] : [{ ref: 'moment:261120-210500-113-4a1f9c', at: T - 18_000_000, instance: '4a1f9c', machine: 'RD0003F0', of: 'app', note: 'before the deployment', who: 'somebody@contoso.com', entries: 127 }] });

export const comparison = (many: boolean, empty: boolean): Comparison => {
  const { moments: [before] } = snapshots(false);
  const side = (value: string, masked = false): { value: string; masked: boolean } => ({ value, masked });
  const left = before as Comparison['left'];
  return { left, right: { ...left, ref: 'now', at: T, note: undefined, who: undefined }, differing: empty ? 0 : 3, equal: 122, notes: [], entries: empty ? [] : rows<ComparedEntry>([
    { group: 'setting' as const, name: 'PaymentKey', difference: 'differs' as const, expected: false, left: side(MASK, true), right: side(MASK, true) },
    { group: 'setting' as const, name: 'CartUrl', difference: 'differs' as const, expected: false, left: side('https://cart-staging.contoso.com'), right: side('https://cart.contoso.com') },
    { group: 'setting' as const, name: 'NewCheckout', difference: 'only-right' as const, expected: false, right: side('true') },
    { group: 'variable' as const, name: 'COMPUTERNAME', difference: 'differs' as const, expected: true, left: side('RD0003F0'), right: side('RD0003FF') },
  ], many ? MANY : 0, (i) => ({ group: 'variable' as const, name: `FEATURE_${i}`, difference: 'differs' as const, expected: false, left: side(`off-${i}`), right: side(`on-${i}`) })) };
};
