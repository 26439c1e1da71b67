// Owns an API over a database through a pool as libraries have it: a few connections, and an error when none comes free in time.
const http = require('node:http');
const net = require('node:net');

class TimeoutError extends Error { constructor(message) { super(message); this.name = 'TimeoutError'; } }

const free = [];
const waiting = [];
let made = 0;

function acquire(done) {
  const socket = free.pop();
  if (socket) return done(undefined, socket);
  if (made < 3) { made += 1; const fresh = net.connect(Number(process.env.DB_PORT), '127.0.0.1', () => done(undefined, fresh)); return fresh.on('error', done); }
  const entry = { done, timer: setTimeout(() => { waiting.splice(waiting.indexOf(entry), 1); done(new TimeoutError('Timeout acquiring a connection. The pool is probably full. Are you missing a .transacting(trx) call?')); }, 1_200) };
  waiting.push(entry);
}
function release(socket) {
  const next = waiting.shift();
  if (!next) return free.push(socket);
  clearTimeout(next.timer);
  next.done(undefined, socket);
}

http.createServer((req, res) => {
  if (req.url !== '/invoices') return res.end('ok');
  acquire((error, socket) => {
    if (error) { console.error(`${new Date().toISOString()} ERROR ${error.stack}`); res.statusCode = 500; return res.end('error'); }
    socket.once('data', (rows) => { release(socket); res.end(rows); });
    socket.write('SELECT 1\n');
  });
}).listen(process.env.PORT);
