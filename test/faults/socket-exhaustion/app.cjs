// Owns a shop that opens a connection per call to its stock service and closes it itself; each keeps a local port for a minute afterwards. SERVE=stock is that service.
const http = require('node:http');

if (process.env.SERVE === 'stock') http.createServer((_req, res) => res.end('[]')).listen(Number(process.env.STOCK_PORT), '127.0.0.1');
else http.createServer((req, res) => {
  if (req.url !== '/stock') return setTimeout(() => res.end('ok'), 3);
  http.get({ host: '127.0.0.1', port: process.env.STOCK_PORT, agent: false, headers: { connection: 'keep-alive' } }, (answer) => {
    const { socket } = answer;
    answer.on('data', () => undefined).on('end', () => { socket.destroy(); res.end('stock'); });
  }).on('error', (error) => { console.error(`${new Date().toISOString()} error GET /stock failed: ${error.stack}`); res.statusCode = 500; res.end('no stock'); });
}).listen(process.env.PORT);
