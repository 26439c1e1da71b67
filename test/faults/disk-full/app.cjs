// Owns an app that keeps what is uploaded on a disk that is nearly full.
const http = require('node:http');
const { appendFileSync } = require('node:fs');
const { join } = require('node:path');

http.createServer((req, res) => {
  if (req.method !== 'POST') return res.end('ok');
  try {
    appendFileSync(join(process.env.UPLOADS, 'upload'), Buffer.alloc(65_536));
    res.end('kept');
  } catch (error) {
    console.error(new Date().toISOString(), error.stack);
    res.statusCode = 500;
    res.end('not kept');
  }
}).listen(process.env.PORT);
