// Owns a shop whose invoice throws; the error is caught, logged and answered.
const http = require('node:http');

function invoice(order) { return order.lines.map((line) => line.price); }

http.createServer((req, res) => {
  if (!req.url.startsWith('/invoice')) return setTimeout(() => res.end('ok'), 4);
  try { res.end(String(invoice(req.url.endsWith('7') ? {} : { lines: [] }))); } catch (error) {
    if (!process.env.SILENT) console.error(`${new Date().toISOString()} error ${req.method} ${req.url} ${error.stack}`);
    res.statusCode = 500;
    res.end('error');
  }
}).listen(process.env.PORT);
