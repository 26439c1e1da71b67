// Owns an API whose import of a feed is a promise that nobody awaits.
const http = require('node:http');

async function refresh(feed) {
  await new Promise((resolve) => setTimeout(resolve, 20));
  if (feed === 'broken') throw new RangeError('feed has no entries');
}

http.createServer((req, res) => {
  const url = new URL(req.url, 'http://api');
  if (url.pathname === '/refresh') { refresh(url.searchParams.get('feed')); return setTimeout(() => res.end('asked for'), 60); }
  if (url.pathname === '/entries') return setTimeout(() => res.end('[]'), 700);
  res.end('api');
}).listen(process.env.PORT, () => console.log(`Listening on http://127.0.0.1:${process.env.PORT}`));
