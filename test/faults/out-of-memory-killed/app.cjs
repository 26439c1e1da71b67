// Owns a gallery whose poster unpacks a picture that is larger than the memory of the app.
const http = require('node:http');

http.createServer((req, res) => {
  if (!req.url.startsWith('/poster')) return setTimeout(() => res.end('ok'), req.url === '/list' ? 250 : 4);
  const rows = [];
  const unpack = () => { rows.push(Buffer.alloc(25_000_000, rows.length)); if (rows.length < 40) setTimeout(unpack, 250); else res.end(`${rows.length}`); };
  unpack();
}).listen(process.env.PORT);
