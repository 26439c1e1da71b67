// Owns an API over another service: each order is asked for there, and its failures are logged and answered.
const http = require('node:http');

const agent = new http.Agent({ keepAlive: true, maxSockets: Number(process.env.MAX_SOCKETS ?? 64) });
const limitMs = Number(process.env.CALL_LIMIT_MS ?? 0);

function stock(path, done) {
  const call = http.get(new URL(path, process.env.STOCK_URL), { agent, ...(limitMs > 0 ? { timeout: limitMs } : {}) }, (answer) => {
    let text = '';
    answer.on('data', (piece) => { text += piece; }).on('end', () => done(undefined, text)).on('error', done);
  });
  if (limitMs > 0) call.on('timeout', () => call.destroy(Object.assign(new Error(`timeout of ${limitMs}ms exceeded`), { code: 'ETIMEDOUT' })));
  call.on('error', done);
}

http.createServer((req, res) => {
  const { pathname } = new URL(req.url, 'http://api');
  if (!pathname.startsWith('/orders')) return setTimeout(() => res.end('ok'), 3);
  stock('/items', (error, text) => {
    if (error) { console.error(`${new Date().toISOString()} error GET ${pathname} failed: ${error.stack}`); res.statusCode = 500; return res.end('no stock'); }
    res.end(text);
  });
}).listen(process.env.PORT);
