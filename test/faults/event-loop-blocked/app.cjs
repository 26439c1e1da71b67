// Owns a form whose check of a name goes back and forth over it: a regular expression that needs 2^n steps.
const http = require('node:http');

const NAME = /^(\w+\s?)*$/;

http.createServer((req, res) => {
  const url = new URL(req.url, 'http://form');
  if (url.pathname === '/signup') { res.statusCode = NAME.test(url.searchParams.get('name')) ? 200 : 422; return res.end('checked'); }
  setTimeout(() => res.end('ok'), 5);
}).listen(process.env.PORT);
