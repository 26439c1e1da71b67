// Owns the ESM form of the preload's matrix: top-level await, its own address in the answer, frameworks by import, alone or in a cluster.
import cluster from 'node:cluster';
import fs from 'node:fs';
import http from 'node:http';

const [, , framework, mode] = process.argv;
const self = new URL(import.meta.url).pathname.split('/').pop();
await Promise.resolve();

function end(res) {
  res.setHeader('connection', 'close');
  res.end('bye', () => { process.exitCode = 7; server.close(() => { if (process.disconnect) process.disconnect(); }); });
}

function say() {
  fs.writeFileSync(`${process.env.PORT_FILE}.tmp`, String(server.address().port));
  fs.renameSync(`${process.env.PORT_FILE}.tmp`, process.env.PORT_FILE);
  fs.writeSync(1, 'serving\n');
}

const handlers = {
  plain: () => (req, res) => { if (req.url === '/end') end(res); else res.end(`${req.method} ${req.url} ${self}`); },
  async express() {
    const { default: express } = await import('express');
    const app = express();
    app.get('/end', (req, res) => { end(res); });
    app.get('/users/:id', async (req, res) => { res.json({ id: req.params.id, self }); });
    return app;
  },
  async fastify() {
    const { default: fastify } = await import('fastify');
    const app = fastify();
    app.get('/end', (req, reply) => { reply.hijack(); end(reply.raw); });
    app.get('/users/:id', async (req) => ({ id: req.params.id, self }));
    await app.ready();
    return app.routing;
  },
};

let server;
if (mode === 'cluster' && cluster.isPrimary) {
  fs.writeSync(1, 'primary\n');
  cluster.fork().on('exit', (code) => { fs.writeSync(1, `worker ${code}\n`); process.exitCode = code; });
} else {
  server = http.createServer(await handlers[framework]()).listen(0, '127.0.0.1', say);
}
