// Owns the proof that the quick look for secrets passes over nothing that the mask would change.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSecretName, maskText, masker } from '../../src/shared/mask.ts';
import { SecretScan } from '../../src/shared/mask-scan.ts';
import { seeded } from '../../scripts/local/seeded.ts';
import { ByteWords } from '../../src/shared/byte-words.ts';

const scan = new SecretScan();
const flags = (text: string, by = scan): boolean => { const bytes = Buffer.from(text); return by.suspect(bytes, 0, bytes.length) !== -1; };

/** A whole number below n. */
function picker(seed: number): (n: number) => number {
  const next = seeded(seed);
  return (n) => Math.floor(next() * n);
}

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3';
const KEY64 = `${'Ab3/'.repeat(21)}Zz==`;
const PIECES = [
  'password', 'Password', 'pwd', 'PWD', 'ApiKey', 'api_key', 'key', 'name', 'value', 'token', 'sig', 'code', 'secret', 'Cookie', 'set-cookie', 'Authorization', 'auth', 'AccountKey', 'connection', 'string', 'strings', 'ConnectionString', 'dsn', 'jwt', 'sas', 'SASURL', 'otp', 'creds', 'WEBSITE_AUTH_X', 'MACHINEKEY_Decryption', 'AzureWebJobsStorage', 'IDENTITY_HEADER', 'SQLCONNSTR_Main', 'x-api-key', 'passphrase', 'signature',
  '=', ':', '%3D', '%3a', '>', '<', '</', ',', ';', '&', '"', "'", '`', '\\', '\\"', ' ', '  ', '\t', '\n', '\r\n', '[', ']', '{', '}', '(', ')', '@', '://', '/', '?', '#', '.', '-', '_', '%', '%3F', 'Bearer ', 'bearer\t', 'Basic ', 'Digest ', '[masked]', 'é', '\u00a0', '€',
  'hunter2', 'abc', 'a1b2c3d4e5f6', 'Zx9', '12345678901234567890', JWT, KEY64, 'AKIAIOSFODNN7EXAMPLE', 'ASIAIOSFODNN7EXAMPLE', 'ghp_0123456789abcdefghijABCDEFGHIJ012345', 'glpat-0123456789abcdefghij', 'xoxb-123456789012-abc', 'sk_live_0123456789abcdef', 'sk-0123456789abcdefghijk', 'npm_0123456789abcdefghijABCDEFGHIJ012345', `AIza${'a1'.repeat(18)}`, `abc8Q~${'x1'.repeat(17)}`, '-----BEGIN PRIVATE KEY-----', '-----END PRIVATE KEY-----', 'MIIE', 'user', 'http', 'null', 'true', 'the', 'monkey', 'author', 'assign', 'github_pat_0123456789abcdefghijABCDEFGHIJ',
];

test('whatever the mask changes was suspected before: 200,000 texts made of all that the mask knows', () => {
  const pick = picker(11);
  let masked = 0;
  for (let i = 0; i < 200_000; i += 1) {
    const text = Array.from({ length: 2 + pick(9) }, () => PIECES[pick(PIECES.length)]).join('');
    if (maskText(text).text === text) continue;
    masked += 1;
    assert.ok(flags(text), JSON.stringify(text));
  }
  assert.ok(masked > 30_000, `only ${masked} texts had anything to mask`);
});

test('every name that convicts is suspected with its separator, whatever letters stand around it', () => {
  const pick = picker(12);
  const parts = ['key', 'keys', 'pwd', 'token', 'tokens', 'sas', 'sig', 'signature', 'credential', 'cred', 'creds', 'connstr', 'dsn', 'jwt', 'authorization', 'cookie', 'cookies', 'authkey', 'otp', 'passw', 'passphrase', 'secret', 'connectionstring', 'pass', 'auth', 'connection', 'string', 'x', 'a', 'My', '_', '-', '.', '2', 'azurewebjobs', 'website_auth_', 'max', 'name', 'APPSETTING_', 'custom', 'sasurl', 'machinekey_', 'identity_header', 'msi_secret', 'redis', 'connstr_', 'servicebus'];
  let secret = 0;
  for (let i = 0; i < 100_000; i += 1) {
    const raw = Array.from({ length: 1 + pick(4) }, () => parts[pick(parts.length)]).join('');
    const name = Array.from(raw).map((c) => (pick(3) === 0 ? c.toUpperCase() : c)).join('');
    if (!isSecretName(name)) continue;
    secret += 1;
    for (const separator of ['=', ':', '": "', '\\":\\"', ' = ', '%3D', '\t:\t', '>', "', '"]) assert.ok(flags(`${name}${separator}x`), `${name}${separator}`);
  }
  assert.ok(secret > 20_000);
});

test('known values are suspected by their beginning, in any form the mask searches for', () => {
  const values = ['p@ss/word 1', 'größe-Ü-1234', 'quo"te-value', 'abcdef12'];
  const mask = masker(values);
  const known = new SecretScan(values.flatMap((v) => [v, JSON.stringify(v).slice(1, -1), encodeURIComponent(v)]));
  const pick = picker(13);
  const pieces = [...values, ...values.map(encodeURIComponent), 'x', ' ', 'p@ss', 'abcdef1', '"', 'prose of a log'];
  for (let i = 0; i < 20_000; i += 1) {
    const text = Array.from({ length: 1 + pick(5) }, () => pieces[pick(pieces.length)]).join('');
    if (mask(text).text !== text) assert.ok(flags(text, known), JSON.stringify(text));
  }
  assert.ok(!flags('prose of a log p@ss abcdef1', known));
});

test('ordinary lines are passed over, or the look would save nothing', () => {
  const lines = [
    '2026-11-21T02:14:07.123Z INFO  [http-nio-8080-exec-3] com.shop.CartController - GET /api/cart/7 returned 200 in 12 ms',
    '{"level":30,"time":1795227247000,"pid":1,"msg":"request completed","responseTime":12}',
    'connected to https://shop.example/path after 3 tries, author and monkeys signed in',
    'the key was turned, a token effort; basically passed', 'task-12345678901234567890123 done', 'a == b', 'Server=db;Database=x',
  ];
  assert.deepEqual(lines.filter((line) => flags(`${line}\nnext`)), []);
});

test('words are found wherever they overlap, upper and lower case alike', () => {
  const words = new ByteWords(['he', 'she', 'hers', 'x'].map((w) => Buffer.from(w)));
  const bytes = Buffer.from('uSHErs!x');
  const ends: number[] = [];
  for (let at = words.find(bytes, 0, bytes.length); at !== -1; at = words.on(bytes, at, bytes.length)) ends.push(at);
  assert.deepEqual(ends, [4, 6, 8]);
});

test('the look finds the same at every place of the memory, behind and before any filling', () => {
  const pick = picker(14);
  const memory = Buffer.alloc(400);
  let found = 0;
  for (let i = 0; i < 20_000; i += 1) {
    const text = Buffer.from(Array.from({ length: 1 + pick(3) }, () => PIECES[pick(PIECES.length)]).join('')).subarray(0, 120);
    const alone = scan.suspect(Uint8Array.from(text), 0, text.length);
    const from = pick(40);
    const before = pick(60);
    const end = from + before + text.length;
    memory.fill(' ', 0, end).set(text, from + before);
    const there = memory.subarray(from, end);
    assert.equal(scan.suspect(there, before, there.length) !== -1, alone !== -1, `${text.toString()} at ${from}+${before}`);
    if (alone !== -1) { found += 1; assert.notEqual(scan.suspect(there, 0, there.length), -1, `${text.toString()} at ${from}+${before}, from the beginning`); }
  }
  assert.ok(found > 3_000, `only ${found} texts were suspicious`);
});
