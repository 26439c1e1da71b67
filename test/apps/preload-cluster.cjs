// Owns a cluster of two workers in which one that dies is started anew; /die ends the worker that answers by an exception, / says who it is.
'use strict';
const cluster = require('node:cluster');
const fs = require('node:fs');
const http = require('node:http');

if (cluster.isPrimary) {
  for (let i = 0; i < 2; i += 1) cluster.fork();
  cluster.on('exit', () => { cluster.fork(); });
} else {
  const server = http.createServer((req, res) => { res.end(String(process.pid)); if (req.url === '/die') res.on('finish', () => { setImmediate(() => { throw new RangeError('this worker is done'); }); }); });
  server.listen(0, '127.0.0.1', () => { fs.writeFileSync(`${process.env.PORT_FILE}.${process.pid}.tmp`, String(server.address().port)); fs.renameSync(`${process.env.PORT_FILE}.${process.pid}.tmp`, process.env.PORT_FILE); });
}
