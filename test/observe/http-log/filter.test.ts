// Tests the filter of HTTP rows: what it accepts, how it refuses, its round trip, and its verdict on rows of bytes.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DiagError } from '../../../src/shared/errors.ts';
import { EVERYTHING, both, exactly, onRoute, parseHttpFilter, printHttpFilter, withStatus } from '../../../src/shared/http-filter.ts';
import { compileHttpFilter } from '../../../src/observe/http-log/filter.ts';
import { TextCache } from '../../../src/observe/http-log/text-cache.ts';
import { columnsOf } from './columns-of.ts';
import type { Given } from './columns-of.ts';
import { seeded } from './support.ts';

const AT = 0;
const ROWS: readonly Given[] = [
  { at: AT, status: 502, sub: 3, win32: 12030, taken: 1_500.5, sent: 10, received: 20, method: 'GET', path: '/api/orders/17', query: 'a=1&b=two', client: '10.0.0.4', agent: 'curl/8.0', host: 'shop.example', site: 'SHOP' },
  { at: AT, status: 502, sub: 5, win32: 0, taken: 0, method: 'POST', path: '/api/orders/18', client: '10.0.0.40', agent: 'Mozilla/5.0+(Windows+NT+10.0)', host: 'SHOP.example', referrer: 'https://shop.example/start' },
  { at: AT, status: 200, taken: 12, method: 'GET', path: '/health', client: '::1' },
  { at: AT, status: 404, sub: 0, win32: 2, taken: 60_000, method: 'get', path: '/größe/app.JS', agent: 'bot' },
  { at: AT, status: 503, method: 'GET', path: Buffer.from('/größe', 'latin1'), upstream: '127.0.0.1:3000, 127.0.0.1:3001' },
  { at: AT, status: 500, sub: 121, path: '/a*b,c' },
  { at: AT, status: 304, method: 'HEAD' },
];
const columns = columnsOf(ROWS);

/** Rows that pass, by number. */
function passing(filter: string, format?: string): number[] {
  const test = compileHttpFilter(parseHttpFilter(filter), { source: 'abc1', instance: 'rd00', ...(format === undefined ? {} : { format }) });
  return ROWS.flatMap((_, row) => (test(columns, row) ? [row] : []));
}

const CASES: readonly (readonly [string, readonly number[]])[] = [
  ['', [0, 1, 2, 3, 4, 5, 6]], ['  ', [0, 1, 2, 3, 4, 5, 6]],
  ['status:5xx', [0, 1, 4, 5]], ['status:502', [0, 1]], ['status:502.3', [0]], ['status:502.3.12030', [0]], ['status:502.3.1', []], ['status:50', []], ['status:404,2XX', [2, 3]], ['-status:5xx,404', [2, 6]],
  ['status>=500', [0, 1, 4, 5]], ['status<400', [2, 6]], ['failed', [0, 1, 4, 5]], ['-failed', [2, 3, 6]], ['sub:0', [3]], ['sub>=0', [0, 1, 3, 5]], ['win32:12030,2', [0, 3]], ['win32=2', [3]],
  ['taken>1000', [0, 3]], ['taken>1s', [0, 3]], ['taken>=1m', [3]], ['taken>1.5s', [0, 3]], ['taken<=12ms', [1, 2]], ['taken<1', [1]], ['-taken>1000', [1, 2, 4, 5, 6]], ['sent:10 received:20', [0]],
  ['method:get', [0, 2, 3, 4]], ['method:GET,POST', [0, 1, 2, 3, 4]], ['method:-', [5]], ['-method:-', [0, 1, 2, 3, 4, 6]],
  ['path:/health', [2]], ['-path:/health', [0, 1, 3, 4, 5, 6]], ['path:/api/*', [0, 1]], ['path:*.js', [3]], ['path:*orders*8', [1]], ['path:/heal', []], ['path:/GRÖSSE', []], ['path:/größe', [4]], ['path:/größe*', [3, 4]],
  ['path:"/a\\*b,c"', [5]], ['path:/a\\*b\\,c', [5]], ['path:/a*b,/health', [2]], ['path:*', [0, 1, 2, 3, 4, 5]], ['path:-', [6]],
  ['route:/api/orders/{id}', [0, 1]], ['route:"GET /api/orders/{id}"', [0]], ['route:"get /api/orders/{id}"', [0]], ['route:/API/orders/{id}', []], ['route:/api/*', [0, 1]], ['route:"POST /api/*",/health', [1, 2]], ['route:/', [6]], ['route:"- *"', [5]],
  ['client:10.0.0.4', [0]], ['client:10.0.0.4*', [0, 1]], ['client:::1', [2]], ['host:shop.example', [0, 1]], ['site:shop', [0]],
  ['agent:curl', [0]], ['agent:"windows nt"', [1]], ['agent:"*nt 10.0)"', [1]], ['agent:*ot', [3]], ['agent:-', [2, 4, 5, 6]], ['query:b=two', [0]], ['referrer:/start', [1]], ['upstream:3001', [4]],
  ['family:curl', [0]], ['family:*', [0, 1, 3]], ['-family:-', [0, 1, 3]], ['refhost:SHOP.example', [1]], ['refhost:-', [0, 2, 3, 4, 5, 6]], ['source:abc1 failed', [0, 1, 4, 5]], ['source:x', []], ['instance:RD00 status:404', [3]],
  ['orders', [0, 1]], ['ORDERS 8', [0, 1]], ['shop.example/start', [1]], ['"10.0.0.4"', [0, 1]], ['-orders failed', [4, 5]], ['"failed"', []], ['text:b=two', [0]], ['b=two', [0]], ['method=head', [6]], ['a\\*b', [5]], ['a*c', [5]],
  ['status:502.3 route:"GET /api/orders/{id}" method:GET client:10.0.0.4 host:shop.example agent:curl taken>1000 failed -path:/health a=1', [0]],
];

describe('the filter of HTTP rows', () => {
  test('each filter lets through exactly the rows it names', () => {
    assert.deepEqual(CASES.filter(([filter, rows]) => passing(filter).join() !== rows.join()).map(([filter]) => [filter, passing(filter)]), []);
  });

  test('printed and read again it is the same filter', () => {
    for (const [text] of CASES) {
      const filter = parseHttpFilter(text);
      assert.deepEqual(parseHttpFilter(printHttpFilter(filter)), filter, text);
    }
  });

  test('a space of the filter is IIS\'s plus only where IIS wrote the log', () => {
    assert.deepEqual(passing('agent:"windows nt"', 'nginx'), []);
    assert.deepEqual(passing('agent:windows+nt', 'nginx'), [1]);
    assert.deepEqual(passing('agent:windows+nt', 'iis-w3c'), [1]);
  });

  test('terms made of figures stand for exactly that text, whatever signs it has', () => {
    for (const odd of ['a*b', 'a,b', '-', '', 'x "y" \\ z', '*', '\\', 'failed', '-x', 'ä b', '\\*']) {
      for (const made of [exactly('client', odd), onRoute('GET', odd), onRoute('-', `/${odd}`)]) assert.deepEqual(parseHttpFilter(printHttpFilter({ terms: [made] })), { terms: [made] }, odd);
    }
    assert.equal(printHttpFilter(both({ terms: [withStatus('502.3.12030'), onRoute('GET', '/a/{id}')] }, EVERYTHING)), 'status:502.3.12030 route:"GET /a/{id}"');
    assert.deepEqual(withStatus('502'), parseHttpFilter('status:502').terms[0]);
  });

  test('texts made at random print and read back as they were', () => {
    const next = seeded(5);
    const signs = ['a', '*', '\\', '"', ' ', ',', '-', ':', 'ö', '>'];
    for (let i = 0; i < 3_000; i += 1) {
      const text = Array.from({ length: Math.floor(next() * 6) }, () => signs[Math.floor(next() * signs.length)]).join('');
      const terms = [exactly('path', text), { ...exactly('text', `${text}x`), not: true }, onRoute('GET', `/${text}`)];
      assert.deepEqual(parseHttpFilter(printHttpFilter({ terms })), { terms }, JSON.stringify(text));
    }
  });

  test('what cannot be read is refused with its place and reason', () => {
    const refusals: readonly (readonly [string, number, RegExp])[] = [
      ['colour:red', 1, /no field colour.*quotes/], ['status:502 colour:red', 12, /no field colour/], ['status:abc', 8, /502\.3\.12030/], ['status:', 8, /missing/], ['path:', 6, /value is missing/], ['path:a,', 8, /value is missing/],
      ['taken>', 7, /number/], ['taken>fast', 7, /number/], ['sent>5s', 6, /no unit s/], ['path>5', 1, /not a number/], ['agent:"curl', 7, /does not end/], ['agent:cu"rl', 9, /middle/], ['agent:"a"b', 10, /space/], ['-', 2, /missing/],
      ['"" ', 1, /missing/], ['route:-', 7, /every row/], [`path:${'a,'.repeat(70)}a`, 134, /64 values/], ['a '.repeat(40), 65, /32 terms/], ['x'.repeat(2_001), 2_001, /2001 characters/], ['taken>999999999999999m', 7, /too large/],
    ];
    for (const [text, at, why] of refusals) {
      assert.throws(() => parseHttpFilter(text), (error: unknown) => {
        assert.ok(error instanceof DiagError && error.code === 'HTTP_FILTER_BAD', String(error));
        assert.equal(error.facts['at'], at, `${text}: ${error.message}`);
        assert.match(error.message, why);
        assert.match(error.next ?? '', /status:502\.3/);
        return true;
      });
    }
  });

  test('a text that nearly fits everywhere takes no longer than its length', () => {
    const path = `/${'a'.repeat(200_000)}`;
    const test = compileHttpFilter(parseHttpFilter(`path:*${'a'.repeat(250)}b*`));
    let reads = 0;
    const bytes = new Proxy(Buffer.from(path), { get: (of, name) => { if (typeof name === 'string' && /^\d+$/.test(name)) reads += 1; return Reflect.get(of, name) as unknown; } });
    const one = columnsOf([{ at: 0, status: 200, path }]);
    assert.equal(test({ ...one, bytes }, 0), false);
    assert.ok(reads <= path.length * 2, `${reads} reads of ${path.length} bytes`);
  });
});

test('a text is judged once, and right also when all hashes are equal or the memory is full', () => {
  let judged = 0;
  const cache = new TextCache((text) => { judged += 1; return Number(text.slice(1)); });
  const some = columnsOf(Array.from({ length: 1_000 }, (_, i) => ({ at: 0, status: 200, path: `/${i % 10}` })));
  for (let row = 0; row < some.rows; row += 1) assert.equal(cache.of(some, some.text.path, row), row % 10);
  assert.equal(judged, 10);
  const many = columnsOf(Array.from({ length: 3_000 }, (_, i) => ({ at: 0, status: 200, path: `/${i}` })));
  for (let row = 0; row < many.rows; row += 1) assert.equal(cache.of(many, many.text.path, row), row);
  const hashed = columnsOf(Array.from({ length: 3_000 }, (_, i) => ({ at: 0, status: 200, path: `/${String(i).padStart(1_020, '0')}` })));
  for (let row = 0; row < hashed.rows; row += 1) hashed.text.path.hash[row] = Math.imul(row, 0x9E3779B1);
  for (let round = 0; round < 2; round += 1) for (let row = 0; row < hashed.rows; row += 1) assert.equal(cache.of(hashed, hashed.text.path, row), row);
  assert.equal(cache.of(columnsOf([{ at: 0, status: 200 }]), columnsOf([{ at: 0, status: 200 }]).text.path, 0), undefined);
});
