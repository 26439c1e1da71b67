// Owns an app that opens a file for each download and forgets to close it.
const http = require('node:http');
const { open } = require('node:fs');

http.createServer((req, res) => {
  if (req.url !== '/download') return res.end('ok');
  open(__filename, (error) => {
    if (error) { console.error(new Date().toISOString(), 'download failed', error); res.statusCode = 500; return res.end('failed'); }
    res.end('file');
  });
}).listen(process.env.PORT);
