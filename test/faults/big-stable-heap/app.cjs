// Owns an app with a large cache that is filled at its start and then stays as it is.
const http = require('node:http');

const cache = new Map();
for (let i = 0; i < 250_000; i += 1) cache.set(i, { name: `article ${i}`, tags: [i, i + 1] });
http.createServer((req, res) => { const made = Array.from({ length: 300 }, (_, i) => ({ i })); setTimeout(() => res.end(String(made.length + cache.size)), 3); }).listen(process.env.PORT);
