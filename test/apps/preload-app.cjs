// Owns the app of the preload's matrix: plain http, Express, Fastify or Koa, alone or in a cluster, and the tricks by which an app may differ with a preload.
'use strict';
const [, , framework, trick, mode] = process.argv;
const fs = require('node:fs');
const http = require('node:http');

const tricks = {
  none() {},
  'throws-at-start'() { throw new TypeError('at start'); },
  'exits-at-once'() { process.exit(3); },
  'rejects'() { void Promise.reject(new RangeError('nobody catches')); return false; },
  'closes-stdio'() { process.stdout.end(); fs.closeSync(2); },
  'replaces-emit'() {
    const emit = process.emit;
    process.emit = function (name, ...given) { if (name === 'exit') fs.writeSync(1, `emit ${name} ${given[0]}\n`); return emit.call(this, name, ...given); };
  },
  'freezes'() { for (const one of [Object, Array, Map, Set, Function, Promise, Error, Date]) { Object.freeze(one.prototype); Object.freeze(one); } },
  'many-listeners'() {
    process.setMaxListeners(20_000);
    for (let i = 0; i < 10_000; i += 1) process.on('exit', i === 9_999 ? () => { fs.writeSync(1, 'last of 10000\n'); } : () => {});
    for (let i = 0; i < 10; i += 1) process.on('uncaughtException', () => { fs.writeSync(1, `handler ${i}\n`); });
    setImmediate(() => { throw new Error('handled in order'); });
  },
  'replaces-time'() { global.setInterval = global.setTimeout = () => { throw new Error('no timers'); }; Date.now = () => 0; performance.now = () => 0; },
  'lists-itself'() { fs.writeSync(1, `${JSON.stringify([process.execArgv, process.argv.slice(2), Object.keys(globalThis), process.eventNames().filter((one) => one !== 'uncaughtExceptionMonitor' && one !== 'warning' && one !== 'exit')])}\n`); },
  'warns'() { process.emitWarning('careful', 'DeprecationWarning', 'DEP9'); },
};

function plain(end) {
  return http.createServer((req, res) => {
    if (req.url === '/end') return end(res);
    if (req.url === '/fail') { res.statusCode = 500; return res.end('failed'); }
    let body = '';
    req.on('data', (chunk) => { body += chunk; }).on('end', () => { res.setHeader('x-app', 'yes'); res.end(`${req.method} ${req.url} ${body}`); });
  });
}

function withExpress(end) {
  const app = require('express')();
  app.get('/users/:id', (req, res) => { res.json({ id: req.params.id }); });
  app.get('/end', (req, res) => end(res));
  app.get('/fail', () => { throw Object.assign(new Error('refused'), { status: 418, expose: true, stack: 'no stack' }); });
  return http.createServer(app);
}

function withFastify(end) {
  const app = require('fastify')();
  app.get('/users/:id', async (req) => ({ id: req.params.id }));
  app.get('/end', (req, reply) => { reply.hijack(); end(reply.raw); });
  app.get('/fail', async () => { throw Object.assign(new Error('refused'), { statusCode: 418 }); });
  return http.createServer((req, res) => { app.ready(() => { app.routing(req, res); }); });
}

function withKoa(end) {
  const app = new (require('koa'))();
  app.silent = true;
  app.use(async (ctx) => { if (ctx.path === '/end') { ctx.respond = false; end(ctx.res); } else if (ctx.path === '/fail') ctx.throw(418); else ctx.body = { path: ctx.path }; });
  return http.createServer(app.callback());
}

const frameworks = { plain, express: withExpress, fastify: withFastify, koa: withKoa };

function serve() {
  const end = (res) => { res.setHeader('connection', 'close'); res.end('bye', () => { process.exitCode = 7; server.close(() => { if (process.disconnect) process.disconnect(); }); }); };
  const server = frameworks[framework](end);
  server.listen(0, '127.0.0.1', () => { fs.writeFileSync(`${process.env.PORT_FILE}.tmp`, String(server.address().port)); fs.renameSync(`${process.env.PORT_FILE}.tmp`, process.env.PORT_FILE); fs.writeSync(1, 'serving\n'); });
}

const cluster = require('node:cluster');
if (mode === 'cluster' && cluster.isPrimary) {
  fs.writeSync(1, 'primary\n');
  cluster.fork().on('exit', (code) => { fs.writeSync(1, `worker ${code}\n`); process.exitCode = code; });
} else {
  if (tricks[trick]() !== false) serve();
}
