// Owns the canned memory dump of the stage: a Node process that died of an exception, one of which nothing could be read, and one with ten thousand of everything.
import type { DumpFrame, DumpRead, DumpThread } from '../../src/shared/dump-read.ts';
import { T } from './stage-data.ts';

export const DUMP_FILE = 'worker-6120.core';
/** Still being read, whenever one asks. */
export const SLOW_FILE = 'worker-6121.core';
const MiB = 2 ** 20;
const hex = (n: number): string => `0x${n.toString(16)}`;

const js = (fn: string, file: string | undefined, line?: number, tier: NonNullable<DumpFrame['js']>['tier'] = 'interpreted'): NonNullable<DumpFrame['js']> => ({ function: fn, tier, ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line, column: 13 }) });
const STACK = [
  js('applyVoucher', '/home/site/wwwroot/lib/cart.js', 41), js('total', '/home/site/wwwroot/lib/cart.js', 18), js('(anonymous)', '/home/site/wwwroot/server.js', 88, 'baseline'),
  js('handle', '/home/site/wwwroot/node_modules/express/lib/router/layer.js', 95, 'optimized'), js('next', '/home/site/wwwroot/node_modules/express/lib/router/route.js', 149, 'optimized'), js('parserOnIncoming', 'node:_http_server', 1_133), js('emit', 'node:events', 524), js('(entry)', undefined, undefined, 'builtin'),
];
const native = (fn: string | undefined, module: string, offset: number, how: DumpFrame['how'] = 'rules'): DumpFrame => ({ pc: hex(0x7f3c_0000_0000 + offset), module, offset: hex(offset), how, ...(fn === undefined ? {} : { function: fn }) });
const REGISTERS = Object.fromEntries(['rax', 'rdx', 'rcx', 'rbx', 'rsi', 'rdi', 'rbp', 'rsp', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'rip'].map((name, i) => [name, hex(0x7ffc_1180_0000 + i * 4_088)]));

const main: DumpThread = { id: 6_120, name: 'main', died: true, registers: REGISTERS, frames: [
  native('v8::base::OS::Abort()', 'node', 0x1a_e3b2, 'context'), native('v8::internal::Isolate::Throw(v8::internal::Object, v8::internal::MessageLocation*)', 'node', 0x9f_1c40), native(undefined, 'node', 0x9f_2210), ...STACK.map((one, i): DumpFrame => ({ pc: hex(0x3e0_0000 + i * 977), how: 'frame-pointer', js: one })),
  native('node::SpinEventLoopInternal(node::Environment*)', 'node', 0x6a_0010), native('main', 'node', 0x50_2000), native('__libc_start_call_main', 'libc.so.6', 0x2_7249), native('_start', 'node', 0x50_1fee, 'scan'),
] };
const waiting = (id: number, name: string): DumpThread => ({ id, name, registers: REGISTERS, frames: [native('__futex_abstimed_wait_common', 'libc.so.6', 0x8_1e36, 'context'), native('pthread_cond_wait', 'libc.so.6', 0x8_4819), native(name, 'node', 0x1c_0000 + id), native('start_thread', 'libc.so.6', 0x8_5000)] });

const kind = (name: DumpRead['memory']['byKind'][number]['kind'], areas: number, mib: number, filled: number): DumpRead['memory']['byKind'][number] => ({ kind: name, areas, bytes: mib * MiB, stored: filled * MiB, filled: filled * MiB });
const area = (i: number, what: DumpRead['memory']['biggest'][number]['kind'], mib: number, more: object = {}): DumpRead['memory']['biggest'][number] => ({ from: hex(0x1_2000_0000 + i * 0x80_0000), bytes: Math.round(mib * MiB), stored: Math.round(mib * MiB * 0.97), filled: Math.round(mib * MiB * 0.9), kind: what, holds: '72 % pointers and small numbers, 20 % text, 8 % never written or zero', ...more });

export function stagedDump(many: boolean, empty: boolean): DumpRead {
  if (empty) return { version: 1, format: 'minidump', bytes: 64_000, process: { system: 'Windows 10.0.20348, x64', takenAt: T - 9_000 }, threads: [], modules: [], memory: { bytes: 0, stored: 0, filled: 0, byKind: [], biggest: [] }, texts: [], environment: [], notes: ['the file ends before what its directory names'] };
  return {
    version: 1, format: 'core', bytes: 1_171 * MiB, process: { system: 'Linux, x86-64', pid: 6_120, name: 'node', commandLine: '/usr/bin/node --max-old-space-size=512 server.js --key=[masked]' },
    death: { name: 'SIGABRT', code: 6, meaning: 'an exception that nobody caught; the process was started with --abort-on-uncaught-exception', thread: 6_120, place: 'v8::base::OS::Abort() (node)' },
    threads: [main, ...['node::WorkerThreadsTaskRunner::DelayedTaskScheduler', 'node::PlatformWorkerThread', 'node::PlatformWorkerThread', 'node::PlatformWorkerThread', 'uv__thread_start', 'uv__thread_start'].map((name, i) => waiting(6_121 + i, name)), ...(many ? Array.from({ length: 500 }, (_, i) => waiting(7_000 + i, `pool worker ${i}`)) : [])],
    modules: [{ name: 'node', path: '/usr/bin/node', from: '0x400000', bytes: 94 * MiB, buildId: '8f2c1d0b7e6a5f4433221100ffeeddccbbaa9988' }, { name: 'libc.so.6', path: '/usr/lib/x86_64-linux-gnu/libc.so.6', from: '0x7f3c00000000', bytes: 2 * MiB, buildId: '6196744a316dbd57c0fc8968df1680aac482cef4' }, { name: 'addon.node', path: '/home/site/wwwroot/node_modules/sharp/build/Release/addon.node', from: '0x7f3b40000000', bytes: 1 * MiB, note: 'the file on this machine is another build (a41f)' }, ...(many ? Array.from({ length: 1_000 }, (_, i) => ({ name: `lib${i}.so`, path: `/opt/app/lib/lib${i}.so`, from: hex(0x7f30_0000_0000 + i * MiB), bytes: MiB })) : [])],
    memory: { bytes: 1_900 * MiB, stored: 1_171 * MiB, filled: 1_020 * MiB, byKind: [kind('javascript', 2_011, 540, 496), kind('anonymous', 88, 800, 480), kind('file', 40, 140, 30), kind('code', 52, 120, 12), kind('stack', 7, 56, 2), kind('system', 4, 244, 0)], biggest: [area(0, 'anonymous', 64), area(1, 'anonymous', 64, { holds: '98 % text, 2 % never written or zero' }), area(2, 'file', 40, { name: '/usr/share/zoneinfo/tzdata.zi' }), ...Array.from({ length: many ? 9_997 : 30 }, (_, i) => area(i + 3, i % 9 === 8 ? 'stack' : 'javascript', 1 + (i % 3) / 4))], ...(many ? { more: 6_112 } : {}) },
    javascript: { runtime: 'Node 22.11.0 (V8 12.4)', understood: true, stack: STACK, exception: { name: 'TypeError', message: 'Cannot read properties of undefined (reading \'percent\')' }, heapBytes: 540 * MiB },
    texts: [{ text: 'TypeError: Cannot read properties of undefined (reading \'percent\')', times: 4 }, { text: 'Error: connect ECONNREFUSED 10.1.0.4:6379', times: 31 }, { text: 'Uncaught exception in /home/site/wwwroot/lib/cart.js:41', times: 1 }],
    environment: [{ name: 'APPSETTING_DB_PASSWORD', value: '[masked]', masked: true }, { name: 'HOME', value: '/home', masked: false }, { name: 'NODE_OPTIONS', value: '--abort-on-uncaught-exception', masked: false }, { name: 'WEBSITE_SITE_NAME', value: 'contoso-shop', masked: false }, ...(many ? Array.from({ length: 1_900 }, (_, i) => ({ name: `APPSETTING_FLAG_${i}`, value: `value ${i}`, masked: false })) : [])],
    notes: ['functions of addon.node have no names: the file on this machine is another build', ...(many ? ['5 threads beyond 512 are not told', 'texts were not searched for in 640 MiB'] : [])],
  };
}
