// Owns a server whose requests wait for one thing each: a call, a connection, a file, a timer, a plain socket, nothing; and one that catches what it throws.
'use strict';
const fs = require('node:fs');
const http = require('node:http');
const http2 = require('node:http2');
const net = require('node:net');

// Takes what comes and never answers: a database that hangs.
const silent = net.createServer((socket) => { socket.resume(); }).listen(0, '127.0.0.1');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const toSilent = () => `http://127.0.0.1:${silent.address().port}/`;
let pool;

async function looksUpTheCart() { await new Promise((resolve) => { setTimeout(resolve, 60_000); }); }
async function waitsForTheCart() { await looksUpTheCart(); }
function neverEnds() { for (let i = 0; ; i = (i + 1) % 7) if (i > 7) return; }
/** Slow enough that it is some time at it, as an app that reads too much at once is. */
function readsItAll() { const all = []; for (;;) { all.push(new Array(25_000).fill(all.length)); for (const until = performance.now() + 1; performance.now() < until;); } }
function throwsOften(text) { try { JSON.parse(text); } catch (error) { return error.name; } }

const pages = {
  '/call': () => { http.get(toSilent(), { agent: false }).on('error', () => {}); },
  '/queue': () => { http.get(toSilent(), { agent }).on('error', () => {}); },
  '/fetch': () => { if (typeof fetch === 'function') fetch(toSilent()).catch(() => {}); },
  '/pipe': () => { fs.readFile(process.env.FIFO, () => {}); },
  '/timer': () => waitsForTheCart(),
  '/socket': () => { pool.write('select 1', () => {}); },
  '/nothing': () => {},
  '/caught': (res) => { res.end(throwsOften('{')); },
  '/lookup': (res) => { require('node:dns').lookup('localhost', () => { res.end('found'); }); },
  '/loop': () => { neverEnds(); },
  '/all': () => { readsItAll(); },
  '/abort': () => { process.abort(); },
  '/fill': (res) => { global.kept ??= []; for (let i = 0; i < 10; i += 1) global.kept.push(new Array(125_000).fill(i)); res.end('kept'); },
};
const server = http.createServer((req, res) => { const page = pages[req.url]; if (page) page(res); else res.end('answer'); });
server.on('upgrade', (req, socket) => { socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: test\r\nConnection: Upgrade\r\n\r\n'); socket.resume(); });
const second = http2.createServer((req, res) => { if (req.url === '/hang') return; res.end('answer'); });
silent.once('listening', () => {
  pool = net.connect(silent.address().port, '127.0.0.1');
  second.listen(0, '127.0.0.1', () => { server.listen(0, '127.0.0.1', () => {
    fs.writeFileSync(`${process.env.PORT_FILE}.tmp`, JSON.stringify([server.address().port, second.address().port, silent.address().port]));
    fs.renameSync(`${process.env.PORT_FILE}.tmp`, process.env.PORT_FILE);
  }); });
});
