// Owns a gallery that keeps the bytes of every picture it ever sent; they live outside of the JavaScript heap.
const http = require('node:http');

const sent = [];

http.createServer((req, res) => {
  if (req.url.startsWith('/photo')) sent.push(Buffer.alloc(1_500_000, sent.length));
  setTimeout(() => res.end('ok'), 4);
}).listen(process.env.PORT);
