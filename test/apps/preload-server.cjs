// Owns a server that does what the preload is to see: answers after a wait, blocks, hangs, calls out, dies.
'use strict';
const fs = require('node:fs');
const http = require('node:http');

function blocksTheLoop(untilMs) {
  let sum = 0;
  while (performance.now() < untilMs) for (let i = 0; i < 1_000; i += 1) sum += Math.sqrt(i);
  return sum;
}

const server = http.createServer((req, res) => {
  const url = new URL(req.url, 'http://app.invalid');
  const ms = Number(url.searchParams.get('ms') ?? 0);
  if (url.pathname === '/block') { blocksTheLoop(performance.now() + ms); res.end('blocked'); }
  else if (url.pathname === '/hang') res.write('begun');
  else if (url.pathname === '/call') http.get(url.searchParams.get('to'), (answer) => { answer.resume().on('end', () => res.end('called')); }).on('error', (error) => { res.statusCode = 502; res.end(error.code); });
  else if (url.pathname === '/throw') setImmediate(() => { throw new TypeError('the cart is gone'); });
  else if (url.pathname === '/abort') process.abort();
  else if (url.pathname === '/memory') res.end(JSON.stringify([process.memoryUsage().rss, require('node:v8').getHeapStatistics().heap_size_limit]));
  else setTimeout(() => { res.statusCode = url.pathname === '/bad' ? 500 : 200; res.end('answer'); }, ms);
});
server.listen(0, '127.0.0.1', () => { fs.writeFileSync(`${process.env.PORT_FILE}.tmp`, String(server.address().port)); fs.renameSync(`${process.env.PORT_FILE}.tmp`, process.env.PORT_FILE); });
