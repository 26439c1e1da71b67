// Owns an app that answers with a header line that is none, and with a head that is too large.
const http = require('node:http');

http.createServer((req, res) => {
  if (req.url === '/legacy') return req.socket.end('HTTP/1.1 200 OK\r\nContent-Type text/html\r\n\r\nhello');
  if (req.url === '/session') return req.socket.end(`HTTP/1.1 200 OK\r\nSet-Cookie: ${'x'.repeat(90_000)}\r\nContent-Length: 0\r\n\r\n`);
  res.end('ok');
}).listen(process.env.PORT);
