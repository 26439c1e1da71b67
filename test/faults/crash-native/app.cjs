// Owns an app whose native library ends the process: abort() and a fault, as addons do.
const http = require('node:http');

http.createServer((req, res) => {
  if (req.url === '/convert') return setTimeout(() => process.abort(), 10);
  if (req.url === '/scan') return setTimeout(() => process.kill(process.pid, 'SIGSEGV'), 10);
  setTimeout(() => res.end('picture'), req.url === '/large' ? 600 : 3);
}).listen(process.env.PORT);
