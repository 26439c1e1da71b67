// Owns the ESM form of the preload's matrix: a server with top-level await, and its own address in the answer.
import fs from 'node:fs';
import http from 'node:http';

await Promise.resolve();
const server = http.createServer((req, res) => {
  if (req.url !== '/end') { res.end(`${req.method} ${req.url} ${new URL(import.meta.url).pathname.split('/').pop()}`); return; }
  res.setHeader('connection', 'close');
  res.end('bye', () => { process.exitCode = 7; server.close(); });
});
server.listen(0, '127.0.0.1', () => { fs.writeFileSync(`${process.env.PORT_FILE}.tmp`, String(server.address().port)); fs.renameSync(`${process.env.PORT_FILE}.tmp`, process.env.PORT_FILE); fs.writeSync(1, 'serving\n'); });
