// Owns finding a TCP port of the loopback that nobody has.
import { createServer, type AddressInfo } from 'node:net';

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((done) => { server.close(() => { done(); }); });
  return port;
}
