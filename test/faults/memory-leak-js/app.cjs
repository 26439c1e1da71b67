// Owns a shop that keeps every basket that it ever saw.
const http = require('node:http');

const baskets = new Map();
let n = 0;

http.createServer((req, res) => {
  if (req.url.startsWith('/basket')) baskets.set(n += 1, Array.from({ length: 4_000 }, (_, i) => ({ article: `${n}-${i}`, price: i })));
  setTimeout(() => res.end('ok'), 3);
}).listen(process.env.PORT);
