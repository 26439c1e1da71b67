// Owns an app that draws pictures in worker threads: all cores are busy, and each request takes its time.
const http = require('node:http');
const { pbkdf2 } = require('node:crypto');

http.createServer((req, res) => {
  if (req.url.startsWith('/image')) return pbkdf2('p', 's', 500_000, 64, 'sha512', () => res.end('image'));
  pbkdf2('p', 's', 20_000, 64, 'sha512', () => res.end('page'));
}).listen(process.env.PORT);
