// Owns the shop's routes: a healthy little shop, and under other paths everything that can go wrong with one.
'use strict';

const http = require('node:http');
const cart = require('./lib/cart.js');
const catalogue = require('./lib/catalogue.js');
const echo = require('./lib/echo.js');
const log = require('./lib/log.js');
const misbehave = require('./lib/misbehave.js');
const page = require('./lib/page.js');

const BODY_BYTES = 16 * 1024;

function answer(res, status, type, body) {
  res.writeHead(status, { 'Content-Type': `${type}; charset=utf-8`, 'X-Content-Type-Options': 'nosniff' });
  res.end(body);
}

const html = (res, body, status = 200) => answer(res, status, 'text/html', body);
const json = (res, value, status = 200) => answer(res, status, 'application/json', `${JSON.stringify(value)}\n`);
const missing = (res) => json(res, { error: 'not found' }, 404);

/** Reads a small form or JSON body and calls back with its `code`. */
function readCode(req, res, done) {
  let body = '';
  req.setEncoding('utf8');
  req.on('data', (text) => {
    body += text;
    if (body.length > BODY_BYTES) {
      json(res, { error: 'body too large' }, 413);
      req.destroy();
    }
  });
  req.on('end', () => {
    const isJson = (req.headers['content-type'] ?? '').includes('json');
    try {
      done(isJson ? String(JSON.parse(body).code) : new URLSearchParams(body).get('code') ?? '');
    } catch {
      json(res, { error: 'body is not JSON with a code' }, 400);
    }
  });
}

function apply(req, res) {
  readCode(req, res, (code) => {
    cart.applyVoucher(code, (applied) => {
      if (applied === undefined) json(res, { error: 'unknown voucher' }, 404);
      else json(res, applied);
    });
  });
}

function product(path, res) {
  const found = catalogue.find(Number(path.slice('/products/'.length)));
  if (found === undefined) missing(res);
  else json(res, found);
}

function handle(req, res) {
  const url = new URL(req.url, 'http://shop.invalid');
  const path = url.pathname;
  if (req.method === 'POST') return path === '/cart/apply' ? apply(req, res) : missing(res);
  if (path === '/') return html(res, page.start());
  if (path === '/shop.css') return answer(res, 200, 'text/css', page.STYLE);
  if (path === '/shop.js') return answer(res, 200, 'text/javascript', page.SCRIPT);
  if (path === '/cart') return json(res, cart.show());
  if (path === '/search') return html(res, page.list('Search', catalogue.search(url.searchParams.get('q') ?? '')));
  if (path.startsWith('/products/')) return product(path, res);
  const wrong = misbehave.routes.get(path);
  return wrong === undefined ? missing(res) : wrong(url, res);
}

const server = http.createServer((req, res) => {
  const startedAt = Date.now();
  res.on('finish', () => {
    const say = res.statusCode >= 500 ? log.error : res.statusCode >= 400 ? log.warn : log.info;
    say(`${req.method} ${req.url.slice(0, 200)} ${res.statusCode} ${Date.now() - startedAt} ms`);
  });
  try {
    handle(req, res);
  } catch {
    json(res, { error: 'bad request' }, 400); // a URL that cannot be read
  }
});

server.on('upgrade', (req, socket, head) => {
  if (req.url === '/ws') echo.upgrade(req, socket, head);
  else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
});

server.listen(process.env.PORT, '127.0.0.1', () => log.info(`contoso-shop listens on ${process.env.PORT}, process ${process.pid}`));
