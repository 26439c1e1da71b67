// Owns the Windows side of a test: a program for node.exe that starts other programs and proxies, as told over one TCP connection, and ends all with it.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createConnection } from 'node:net';
import { createInterface } from 'node:readline';
import { startProxy, type Proxy } from './iisnode-proxy.ts';

export type Order =
  | { readonly n: number; readonly do: 'start'; readonly args: readonly string[]; readonly env: Readonly<Record<string, string>>; readonly cwd?: string; readonly program?: string }
  | { readonly n: number; readonly do: 'write'; readonly id: number; readonly text: string }
  | { readonly n: number; readonly do: 'kill'; readonly id: number }
  | { readonly n: number; readonly do: 'proxy'; readonly to: string; readonly below?: string }
  | { readonly n: number; readonly do: 'close'; readonly port: number };

export type Word =
  | { readonly n: number; readonly done: { readonly id?: number; readonly pid?: number; readonly port?: number } }
  | { readonly n: number; readonly failed: string }
  | { readonly id: number; readonly out: string; readonly error: boolean }
  | { readonly id: number; readonly exit: number | null };

const children = new Map<number, ChildProcess>();
const proxies = new Map<number, Proxy>();
const line = createConnection({ host: '127.0.0.1', port: Number(process.argv[2]) });
const say = (word: Word): void => { line.write(`${JSON.stringify(word)}\n`); };

/** Everything that was started ends with the test that started it. */
function end(): void {
  for (const child of children.values()) endTree(child);
  process.exit(0);
}

function endTree(child: ChildProcess): void {
  // Windows ends no children with their parent; where there is no taskkill, the program alone is ended.
  try { execFileSync('taskkill', ['/pid', String(child.pid), '/t', '/f'], { stdio: 'ignore' }); } catch { /* it has ended already */ }
  child.kill('SIGKILL');
}

function start(order: Extract<Order, { do: 'start' }>): Promise<{ id: number; pid: number }> {
  // Windows programs need these; the rest of our own environment is none of theirs.
  const system = Object.fromEntries(['SystemRoot', 'SystemDrive', 'windir', 'ComSpec', 'PATHEXT', 'TEMP', 'TMP', 'PATH', 'COMPUTERNAME', 'USERNAME', 'USERPROFILE', 'NUMBER_OF_PROCESSORS', 'WINEDEBUG'].flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name] as string]])));
  const child = spawn(order.program ?? process.execPath, [...order.args], { env: { ...system, ...order.env }, ...order.cwd === undefined ? {} : { cwd: order.cwd }, stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true });
  const id = order.n;
  children.set(id, child);
  child.stdin.on('error', () => { /* it ended; `exit` tells */ });
  for (const error of [false, true]) child[error ? 'stderr' : 'stdout'].setEncoding('utf8').on('data', (out: string) => { say({ id, out, error }); });
  child.on('close', (exit) => { children.delete(id); say({ id, exit }); });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => { resolve({ id, pid: child.pid as number }); });
  });
}

async function obey(order: Order): Promise<Extract<Word, { done: unknown }>['done']> {
  if (order.do === 'start') return await start(order);
  if (order.do === 'write') { children.get(order.id)?.stdin?.write(order.text); return {}; }
  if (order.do === 'kill') { children.get(order.id)?.kill('SIGKILL'); return {}; }
  if (order.do === 'close') { await proxies.get(order.port)?.close(); proxies.delete(order.port); return {}; }
  const proxy = await startProxy(order.below === undefined ? { to: order.to } : { to: order.to, below: order.below });
  proxies.set(proxy.port, proxy);
  return { port: proxy.port };
}

line.on('close', end);
line.on('error', end);
createInterface({ input: line }).on('line', (text) => {
  const order = JSON.parse(text) as Order;
  obey(order).then((done) => { say({ n: order.n, done }); }, (error: unknown) => { say({ n: order.n, failed: String(error) }); });
});
