// Owns an app that does what apps do: answers, waits a little, logs, and says 404.
const http = require('node:http');

http.createServer((req, res) => {
  const { pathname } = new URL(req.url, 'http://site');
  if (pathname === '/missing') { res.statusCode = 404; return res.end('nothing here'); }
  setTimeout(() => { console.log(`${new Date().toISOString()} info ${req.method} ${pathname}`); res.end('fine'); }, pathname === '/list' ? 40 : 2);
}).listen(process.env.PORT, () => console.log(`listening on ${process.env.PORT}`));
