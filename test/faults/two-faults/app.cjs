// Owns an app with two troubles: its database is gone, and a voucher throws where nothing catches.
const http = require('node:http');
const net = require('node:net');

http.createServer((req, res) => {
  if (req.url === '/voucher') return setTimeout(() => { throw new TypeError('voucher.rules is not iterable'); }, 5);
  if (req.url !== '/orders') return res.end('ok');
  net.connect(Number(process.env.DB_PORT), '127.0.0.1').on('error', (error) => { console.error(new Date().toISOString(), error.stack); res.statusCode = 500; res.end('no database'); });
}).listen(process.env.PORT);
