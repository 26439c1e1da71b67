// Owns an app whose cache fills nearly the whole heap: each request makes the collector walk all of it.
const http = require('node:http');

const cache = [];
for (let i = 0; process.memoryUsage().heapUsed < Number(process.env.FILL_MB) * 1_048_576; i += 1) cache.push({ i, text: `entry ${i}`, list: [i, i, i] });

http.createServer((req, res) => {
  const made = Array.from({ length: 25_000 }, (_, i) => ({ i, text: `row ${i} ${req.url}` }));
  setTimeout(() => res.end(String(made.length + cache.length)), 20);
}).listen(process.env.PORT);
