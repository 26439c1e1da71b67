// Owns an app with an export that is never done.
const http = require('node:http');

http.createServer((req, res) => { if (req.url !== '/export') setTimeout(() => res.end('ok'), 5); }).listen(process.env.PORT);
