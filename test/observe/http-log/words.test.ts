// Tests routes and meanings as tables.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meaning, statusKey } from '../../../src/observe/http-log/meaning.ts';
import { MAX_ROUTE_LENGTH, routeOf } from '../../../src/observe/http-log/route.ts';

const routes: readonly (readonly [string, string])[] = [
  ['/', '/'], ['', '/'], ['/api/orders', '/api/orders'], ['/api/orders/17', '/api/orders/{id}'], ['/api/orders/17/lines/3', '/api/orders/{id}/lines/{id}'],
  ['/api/orders/17/', '/api/orders/{id}/'], ['/u/0d3f5c0e-1111-2222-3333-444455556666/x', '/u/{id}/x'], ['/u/%7B0d3f5c0e-1111-2222-3333-444455556666%7D', '/u/{id}'],
  ['/commit/9fceb02d0ae598e95dc970b74767f19372d61af8', '/commit/{id}'], ['/mongo/507f1f77bcf86cd799439011', '/mongo/{id}'], ['/order-1234', '/order-{id}'],
  ['/t/eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0In0', '/t/{id}'], ['/b/dGhpcyBpcyBhIHRlc3QgMTIz', '/b/{id}'], ['/day/2026-11-21', '/day/{id}'], ['/p/1.5', '/p/{id}'],
  ['/static/app.3f2a.js', '/static/app.3f2a.js'], ['/favicon.ico', '/favicon.ico'], ['/static/Chunk12Vendor34BigName.js', '/static/Chunk12Vendor34BigName.js'], ['/v2/users', '/v2/users'],
  ['/deadbeefface', '/deadbeefface'], ['/internationalization-settings', '/internationalization-settings'], ['/a%20b/7', '/a%20b/{id}'], ['/100%/7', '/100%/{id}'], ['/%31%32', '/{id}'],
  ['/x?y=1', '/x'], ['/wp-login.php', '/wp-login.php'], ['//double', '//double'], ['*', '*'],
];

test('routes: what differs per request is folded, names stay', () => {
  for (const [path, want] of routes) assert.equal(routeOf(path), want, path);
});

test('routes are bounded and no path throws', () => {
  for (const path of [`/${'a'.repeat(100_000)}`, '/a'.repeat(50_000), `/${'%'.repeat(5_000)}`, '/\u0000\uD800', `/${'aA1'.repeat(2_000)}`]) assert.ok(routeOf(path).length <= MAX_ROUTE_LENGTH, path.slice(0, 20));
});

const meanings: readonly (readonly [number, number | undefined, number | undefined, number | undefined, RegExp | undefined])[] = [
  [502, 3, 12030, undefined, /connection ended.*worker exited or recycled/], [502, 3, 12029, undefined, /nothing listening/], [502, 3, 12002, undefined, /^app did not answer in time$/],
  [502, 3, 12002, 120_050, /limit of 120 s/], [502, 3, 12152, 3, /invalid response/], [502, 3, 5, undefined, /forwarding.*access denied/], [502, 3, 99_999, undefined, /^error forwarding the request to the app$/],
  [500, 121, 0, 230_030, /time limit.*230 s/], [500, 121, 0, 120_000, /120 s/], [500, 121, 64, 400, /saturation$/], [500, 1013, 109, 40, /crash/], [500, 1005, 64, undefined, /sending the request/],
  [500, 1016, 64, undefined, /returning/], [503, 0, 0, 0, /rapid-fail/], [503, 65, 0, 0, /undocumented/], [503, 1003, 0, 0, /busy/], [500, 37, 0, 0, /120 s/], [499, undefined, undefined, undefined, /client closed/],
  [503, 77, 0, 0, undefined], [599, 0, 0, 0, undefined], [200, 0, 64, undefined, undefined], [304, 0, 0, 0, undefined], [404, 0, 2, 1, undefined],
];

test('meanings: words where a source is known, nothing where none is', () => {
  for (const [status, sub, win32, takenMs, want] of meanings) {
    const says = meaning(status, sub, win32, takenMs)?.says;
    const name = statusKey(status, sub, win32);
    if (want === undefined) assert.equal(says, undefined, name); else assert.match(says ?? '', want, name);
  }
});

test('status keys hold only what is there', () => {
  assert.deepEqual([statusKey(502, 3, 12030), statusKey(502, 3), statusKey(502)], ['502.3.12030', '502.3', '502']);
});
