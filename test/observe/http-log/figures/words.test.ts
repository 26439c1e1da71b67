// Tests routes folded on bytes against the same on strings, families of user agents, and names of instances.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentFamily } from '../../../../src/observe/http-log/figures/agent-family.ts';
import { RouteFold } from '../../../../src/observe/http-log/figures/fold.ts';
import { instanceOf } from '../../../../src/observe/http-log/figures/names.ts';
import { routeOf } from '../../../../src/observe/http-log/route.ts';
import { seeded } from '../support.ts';

const fold = new RouteFold();
function folded(path: string): string {
  const bytes = Buffer.from(`xx${path}yy`);
  fold.bytes.set(Buffer.from('GET '));
  const end = fold.write(4, bytes, 2, bytes.length - 2);
  return Buffer.from(fold.bytes.subarray(0, end)).toString().slice(4);
}

test('routes folded on bytes are those folded on strings: any pieces in any order', () => {
  const next = seeded(11);
  const pieces = ['/', '/', '/', 'api', 'v2', '17', '1.5', '-3', '+4', '2026-11-21', '2026-11-21T10:00:00Z', '0d3f5c0e-1111-2222-3333-444455556666', '{0d3f5c0e-1111-2222-3333-444455556666}', 'deadbeefface', 'deadbeef1234', '0x1234567890ab', '0xabcdefabcdefab',
    'order-1234', 'build_5f3a9c0012ab', 'Chunk12Vendor34BigName.js', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0', 'dGhpcyBpcyBhIHRlc3QgMTIz', '%20', '%31', '%', '?a=1', '..', '~', '*', 'ä', '€', 'x'.repeat(30), 'a1B2c3D4e5F6g7H8i9J0k', '-', '_', ',', '=', '1,5', 'x-', 'x-7', '-7'];
  for (let i = 0; i < 40_000; i += 1) {
    const path = `${next() < 0.9 ? '/' : ''}${Array.from({ length: Math.floor(next() * 8) }, () => pieces[Math.floor(next() * pieces.length)]).join('')}`;
    if (path !== '') assert.equal(folded(path), routeOf(path), path);
  }
  for (const path of [`/${'a'.repeat(100_000)}`, '/a'.repeat(50_000), `/${'%'.repeat(5_000)}`, `/${'ä'.repeat(198)}`, `/${'b'.repeat(198)}`, `/${'b'.repeat(199)}`]) assert.equal(folded(path), routeOf(path), path.slice(0, 20));
});

const AGENTS: readonly (readonly [string, string])[] = [
  ['Mozilla/5.0+(Windows+NT+10.0;+Win64;+x64)+AppleWebKit/537.36+(KHTML,+like+Gecko)+Chrome/120.0.0.0+Safari/537.36', 'Chrome'],
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 Edg/120.0.0.0', 'Edge'],
  ['Mozilla/5.0+(X11;+Linux+x86_64;+rv:121.0)+Gecko/20100101+Firefox/121.0', 'Firefox'],
  ['Mozilla/5.0+(iPhone;+CPU+iPhone+OS+17_1+like+Mac+OS+X)+AppleWebKit/605.1.15+(KHTML,+like+Gecko)+Version/17.1+Mobile/15E148+Safari/604.1', 'Safari'],
  ['Mozilla/5.0+(compatible;+bingbot/2.0;++http://www.bing.com/bingbot.htm)', 'Bingbot'], ['Mozilla/5.0+(compatible;+Googlebot/2.1;++http://www.google.com/bot.html)', 'Googlebot'],
  ['Mozilla/5.0 (compatible; FancyCrawler/1.0; +https://fancy.example)', 'FancyCrawler'], ['AlwaysOn', 'AlwaysOn'], ['HealthCheck/1.0', 'Health probe'], ['ReadyForRequest/1.0+(HealthCheck)', 'ReadyForRequest'],
  ['Mozilla/5.0+(compatible;+MSIE+9.0;+Windows+NT+6.1;+Trident/5.0;+AppInsights)', 'Application Insights'], ['curl/8.4.0', 'curl'], ['python-requests/2.31.0', 'python-requests'], ['Go-http-client/1.1', 'Go'],
  ['MyApp/3.2 (build 7)', 'MyApp'], ['Azure+Traffic+Manager+Endpoint+Monitor', 'Health probe'], ['\u0000\u0001', 'Other'], ['-', 'Other'], ['x'.repeat(10_000), 'Other'],
];

test('user agents are told by family', () => {
  for (const [agent, family] of AGENTS) assert.equal(agentFamily(agent), family, agent.slice(0, 80));
});

test('an App Service log names its instance; other names do not', () => {
  assert.deepEqual(['3f2a9c-202611210905.log', 'LogFiles/http/RawLogs/3F2A9C-202611210905.log', 'C:\\logs\\77aa01-202611210905.log', 'u_ex261121.log', 'access.log', '12345-202611210905.log'].map(instanceOf), ['3f2a9c', '3f2a9c', '77aa01', undefined, undefined, undefined]);
});
