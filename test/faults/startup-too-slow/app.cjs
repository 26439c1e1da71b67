// Owns an app that fills its cache before it listens, for longer than the platform waits.
const http = require('node:http');

console.log('warming the cache');
setTimeout(() => http.createServer((req, res) => res.end('ok')).listen(process.env.PORT), 60_000);
