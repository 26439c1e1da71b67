// Owns a gallery that reads its pictures from a share; a share that does not answer keeps a thread of the pool for each read.
const http = require('node:http');
const { readFile } = require('node:fs');

http.createServer((req, res) => {
  if (req.url === '/health') return res.end('ok');
  readFile(req.url === '/photo' ? process.env.SHARE : __filename, (error) => { res.statusCode = error ? 500 : 200; res.end('done'); });
}).listen(process.env.PORT);
