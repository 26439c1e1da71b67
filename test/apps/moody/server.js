// Owns an app that serves well until it is told otherwise: it leaks, spins or crashes by request, and does not start while the home says so; its answers take a while, so that some are always under way.
'use strict';
const { existsSync } = require('node:fs');
const { createServer } = require('node:http');
const { join } = require('node:path');

if (existsSync(join(process.env.HOME ?? '.', 'start-fails'))) throw new Error('the settings cannot be read');

const kept = [];
let spinning = false;
const basket = Array.from({ length: 20 }, (_, id) => ({ id, name: `article ${id}` }));

/** Most of a core, and still an answer now and then: an app that loops over too much work. */
function* spin() {
  for (;;) {
    const until = Date.now() + 90;
    while (Date.now() < until) JSON.parse(JSON.stringify(basket));
    yield;
  }
}
// A generator is never merged into its caller: of a plain function V8 may name Node's timers instead, if it was merged before the profile began.
const spins = spin();
function turn() {
  spins.next();
  setTimeout(turn, 10);
}

const does = {
  '/leak': () => { for (let mb = 0; mb < 120; mb += 1) kept.push(Buffer.alloc(2 ** 20, 7)); },
  '/spin': () => { if (!spinning) setImmediate(turn); spinning = true; },
  '/crash': () => { setImmediate(() => { throw new TypeError('the voucher of the cart is undefined'); }); },
};

const server = createServer((req, res) => {
  const url = new URL(req.url, 'http://app.invalid');
  does[url.pathname]?.();
  setTimeout(() => { res.setHeader('x-pid', process.pid); res.end(String(process.pid)); }, Number(url.searchParams.get('ms') ?? 20));
});
server.keepAliveTimeout = 120_000;
server.listen(Number(process.env.PORT), '127.0.0.1');
