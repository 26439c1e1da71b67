// Owns everything the shop does wrong on request. Every number from outside has a bound.
'use strict';

const log = require('./log.js');

/** Kept on purpose: this is the leak. */
let leaked = [];
const LEAK_LIMIT_MB = 4096;

/** A whole number from the query between its bounds; the default when it is missing or no number. */
function bounded(url, name, fallback, least, most) {
  const text = url.searchParams.get(name);
  const number = text !== null && /^\d{1,9}$/.test(text) ? Number(text) : fallback;
  return Math.min(most, Math.max(least, number));
}

function text(res, status, body) {
  res.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' });
  res.end(`${body}\n`);
}

function slow(url, res) {
  const ms = bounded(url, 'ms', 3000, 0, 600_000);
  setTimeout(() => text(res, 200, `answered after ${ms} ms`), ms);
}

function leak(url, res) {
  const mb = bounded(url, 'mb', 50, 1, 512);
  if (leaked.length + mb > LEAK_LIMIT_MB) return text(res, 409, `${leaked.length} MB are leaked already: enough`);
  for (let i = 0; i < mb; i += 1) leaked.push(Buffer.alloc(1024 * 1024, 1)); // written to, so that it counts as used
  log.warn(`leaked ${mb} MB, ${leaked.length} MB in all`);
  text(res, 200, `${leaked.length} MB leaked`);
}

function free(url, res) {
  const mb = leaked.length;
  leaked = [];
  text(res, 200, `${mb} MB let go`);
}

function spin(url, res) {
  const ms = bounded(url, 'ms', 2000, 0, 60_000);
  log.warn(`blocking the event loop for ${ms} ms`);
  const until = Date.now() + ms;
  while (Date.now() < until); // the point of this route
  text(res, 200, `blocked for ${ms} ms`);
}

function raise() {
  setTimeout(() => { throw new Error('thrown on request, caught by nobody'); }, 1);
}

function crash(url) {
  const code = bounded(url, 'code', 1, 0, 255);
  log.error(`exiting with code ${code} on request`);
  setTimeout(() => process.exit(code), 1);
}

function hang(url) {
  log.warn(`${url.pathname} will not be answered`);
}

function fail(url, res) {
  log.error('order 4711 could not be read: database says "timeout expired"');
  text(res, 500, 'something went wrong');
}

function stream(url, res) {
  const chunks = bounded(url, 'chunks', 10, 1, 1000);
  const ms = bounded(url, 'ms', 300, 0, 10_000);
  res.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8' });
  let sent = 0;
  const timer = setInterval(() => {
    sent += 1;
    res.write(`chunk ${sent} of ${chunks}\n`);
    if (sent === chunks) res.end();
  }, ms);
  res.on('close', () => clearInterval(timer));
}

function logLines(url, res) {
  const lines = bounded(url, 'lines', 100, 1, 100_000);
  const levels = [log.info, log.info, log.info, log.warn, log.error];
  for (let i = 1; i <= lines; i += 1) levels[i % levels.length](`line ${i} of ${lines} on request`);
  text(res, 200, `${lines} lines logged`);
}

module.exports = {
  routes: new Map([
    ['/slow', slow], ['/leak', leak], ['/leak/free', free], ['/spin', spin], ['/throw', raise], ['/crash', crash],
    ['/hang', hang], ['/error', fail], ['/stream', stream], ['/log', logLines],
  ]),
};
