// Owns the proof that secrets do not get through, that harmless text does, and that hostile text costs linear time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seeded } from '../../scripts/local/seeded.ts';
import { MASK, isSecretName, maskCommandLine, maskQuery, maskText, maskUrl, maskVariable, maskVariables, masker, secretValues } from '../../src/shared/mask.ts';

const SECRET_NAMES = [
  'APPSETTING_ApiKey', 'ApiKey', 'API_KEY', 'apikey', 'API_KEY2', 'STRIPE_SECRET_KEY', 'ClientSecret', 'SECRETKEYBASE', 'PGPASSWORD', 'DB_PASS', 'DBPASS', 'MYSQL_PWD', 'pwd', 'Pwd',
  'AUTH_TOKEN', 'GITHUBTOKEN', 'ConnectionStrings:MainDb', 'ConnectionStrings__Main', 'APPLICATIONINSIGHTS_CONNECTION_STRING', 'APPINSIGHTS_INSTRUMENTATIONKEY', 'WEBSITE_CONTENTAZUREFILECONNECTIONSTRING',
  'SQLCONNSTR_Main', 'SQLAZURECONNSTR_Main', 'MYSQLCONNSTR_localdb', 'POSTGRESQLCONNSTR_x', 'CUSTOMCONNSTR_x', 'WEBSITE_AUTH_ENCRYPTION_KEY', 'WEBSITE_AUTH_ENABLED', 'MACHINEKEY_Decryption', 'IDENTITY_HEADER',
  'MSI_SECRET', 'DIAGNOSTICS_AZUREBLOBCONTAINERSASURL', 'MY_SASURI_1', 'StorageSasUri', 'AzureWebJobsStorage', 'AzureWebJobsDashboard', 'SAS', 'BlobSas', 'AWS_ACCESS_KEY_ID', 'SIGNATURE', 'GOOGLE_APPLICATION_CREDENTIALS',
  'REDIS_AUTH', 'SENTRY_DSN', 'passphrase', 'x-api-key', 'Set-Cookie', 'Authorization', 'KEYS', 'SMTP_PASSWD',
];
const HARMLESS_NAMES = [
  'KEYBOARD', 'MONKEY', 'MONKEY_COUNT', 'HOTKEYS', 'TOKENIZERS_PARALLELISM', 'PATH', 'Path', 'HOME', 'PWD', 'OLDPWD', 'NODE_ENV', 'MAX_TOKENS', 'OPENAI_MAX_TOKENS', 'TOKEN_TTL', 'PASSWORD_MIN_LENGTH', 'PUBLIC_KEY',
  'KEY_VAULT_URI', 'KEYVAULT_NAME', 'WEBSITE_KEYVAULT_REFERENCES', 'WEBSITE_SITE_NAME', 'WEBSITE_NODE_DEFAULT_VERSION', 'APPSETTING_WEBSITE_SITE_NAME', 'NO_PROXY', 'BYPASS', 'SECRETARY', 'PASSENGER_APP_ENV', 'AUTHOR', 'ASSASSIN',
  'SASL_MECHANISM', 'PublicKeyToken', 'partitionKey', 'ROWKEY', 'cache_key', 'cancellationToken', 'SharedAccessKeyName', 'SSL_KEY_FILE', 'FOREIGN_KEY', 'SIGNAL', 'REGION_NAME', 'CONNECTION_LIMIT', 'STRING', 'CREDO', '',
];

test('names that speak of secrets are known, look-alikes are not', () => {
  assert.deepEqual(SECRET_NAMES.filter((n) => !isSecretName(n)), []);
  assert.deepEqual(HARMLESS_NAMES.filter((n) => isSecretName(n)), []);
});

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U';
const KEY64 = `${'Ab3/'.repeat(21)}Zz==`;
const PEM = '-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAx\nQ0+/abc=\n-----END RSA PRIVATE KEY-----';

/** text → masked text. */
const TEXTS: readonly (readonly [string, string])[] = [
  [`DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=${KEY64};EndpointSuffix=core.windows.net`, 'DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=[masked];EndpointSuffix=core.windows.net'],
  ['Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=abc+/1=', 'Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=[masked]'],
  ['Server=tcp:db,1433;User ID=shop;Password=hun ter,2&x;Encrypt=True', 'Server=tcp:db,1433;User ID=shop;Password=[masked];Encrypt=True'],
  ['Server=db; Pwd=hunter2; Uid=sa', 'Server=db; Pwd=[masked]; Uid=sa'],
  ["cannot open 'Server=db;Password=hunter2' now; retry", "cannot open 'Server=db;Password=[masked]' now; retry"],
  ['PWD=hunter2;UID=sa', 'PWD=[masked];UID=sa'],
  ['cwd PWD=/home/site/wwwroot', 'cwd PWD=/home/site/wwwroot'],
  ['connect mongodb://shop:p@ss:w0rd@db.example:27017/x failed', 'connect mongodb://shop:[masked]@db.example:27017/x failed'],
  ['GET http://localhost:8080/a?mail=x@y.z', 'GET http://localhost:8080/a?mail=x@y.z'],
  ['http://localhost:8080?mail=x@y.z', 'http://localhost:8080?mail=x@y.z'],
  ['clone https://ghp_0123456789abcdefghijABCDEFGHIJ012345@github.com/x', 'clone https://[masked]@github.com/x'],
  ['Authorization: Bearer abcdef.123456', 'Authorization: Bearer [masked]'],
  ['authorization: Basic dXNlcjpwYXNz', 'authorization: Basic [masked]'],
  ['"authorization":"Bearer abc","host":"x"', '"authorization":"Bearer [masked]","host":"x"'],
  ['Authorization: Digest username="u", response="aa"', 'Authorization: Digest [masked]'],
  ['sent Bearer abc123abc123 to the API', 'sent Bearer [masked] to the API'],
  ['Basic authentication is off; the bearer was late', 'Basic authentication is off; the bearer was late'],
  ['Cookie: a=b; ARRAffinity=12\nHost: x', 'Cookie: [masked]\nHost: x'],
  ['Set-Cookie: id=1; HttpOnly\r\nX: y', 'Set-Cookie: [masked]\r\nX: y'],
  ['"set-cookie":["a=1; path=/","b=2"],"x":1', '"set-cookie":[masked],"x":1'],
  ['https://s.blob.core.windows.net/c?sv=2024&sig=a%2Bb%3D&se=1', 'https://s.blob.core.windows.net/c?sv=2024&sig=[masked]&se=1'],
  ['next=https%3A%2F%2Fx%3Fsig%3Dabc%26se%3D1', 'next=https%3A%2F%2Fx%3Fsig%3D[masked]%26se%3D1'],
  [`id ${JWT} end`, 'id [masked] end'],
  [`a ${PEM} b`, 'a -----BEGIN RSA PRIVATE KEY-----[masked]-----END RSA PRIVATE KEY----- b'],
  ['a -----BEGIN PRIVATE KEY-----\nMIIE\nQ0 (cut) b', 'a -----BEGIN PRIVATE KEY-----[masked](cut) b'],
  ['{"user":"ann","password":"hun\\"ter2","n":1}', '{"user":"ann","password":"[masked]","n":1}'],
  ['{"body":"{\\"password\\":\\"hunter2\\",\\"n\\":1}"}', '{"body":"{\\"password\\":\\"[masked]\\",\\"n\\":1}"}'],
  ['{"password":null,"apiKey":""}', '{"password":null,"apiKey":""}'],
  ["{ password: 'hunter2', user: 'ann' }", "{ password: '[masked]', user: 'ann' }"],
  ['login(user=ann, password=hunter2)', 'login(user=ann, password=[masked])'],
  ['Password: hunter2', 'Password: [masked]'],
  ['api_key=abc token=def', 'api_key=[masked] token=[masked]'],
  ['<password>hunter2</password><user>ann</user>', '<password>[masked]</password><user>ann</user>'],
  ['<add key="ApiKey" value="hunter2" />', '<add key="ApiKey" value="[masked]" />'],
  ['{"name":"DB_PASSWORD","slotSetting":false,"value":"hunter2"}', '{"name":"DB_PASSWORD","slotSetting":false,"value":"hunter2"}'],
  ['{"name":"DB_PASSWORD","value":"hunter2"}', '{"name":"DB_PASSWORD","value":"[masked]"}'],
  ["rawHeaders: [ 'Host', 'x', 'Cookie', 'sid=1', 'Accept', '*/*' ]", "rawHeaders: [ 'Host', 'x', 'Cookie', '[masked]', 'Accept', '*/*' ]"],
  ['redis://:hunter2@cache:6379', 'redis://:[masked]@cache:6379'],
  ["headers: { authorization: 'Bearer abc', 'x-functions-key': 'k' }", "headers: { authorization: 'Bearer [masked]', 'x-functions-key': '[masked]' }"],
  ['System.Web, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b03f5f7f11d50a3a', 'System.Web, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b03f5f7f11d50a3a'],
  ['aws AKIAIOSFODNN7EXAMPLE x', 'aws [masked] x'],
  ['xoxb-123456789012-abc and sk_live_0123456789abcdef', '[masked] and [masked]'],
  [`raw ${KEY64} but sha512-${KEY64}`, `raw [masked] but sha512-${KEY64}`],
  ['SyntaxError: Unexpected token: } in JSON at position 4', 'SyntaxError: Unexpected token: } in JSON at position 4'],
  ["Duplicate entry for key: 'users.email'", "Duplicate entry for key: 'users.email'"],
  ['2026-01-02T03:04:05 GET /shop/monkey=1 KEYBOARD=us 500', '2026-01-02T03:04:05 GET /shop/monkey=1 KEYBOARD=us 500'],
  ['TypeError: Cannot read properties of undefined (reading \'key\')\n    at a (lib/cart.js:41:3)', 'TypeError: Cannot read properties of undefined (reading \'key\')\n    at a (lib/cart.js:41:3)'],
];

test('secrets in free text are replaced, the text around them stays', () => {
  for (const [text, expected] of TEXTS) assert.equal(maskText(text).text, expected);
});

test('masking twice changes nothing and counts nothing', () => {
  const bag = [...TEXTS.map(([t]) => t), MASK, '"', "'", '\\', ';', '&', '=', ':', '%3D', 'password', 'Cookie', 'Authorization', 'Bearer ', ' ', '\n', '@', '://', ']'];
  let seed = 7;
  const pick = (n: number): number => { seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648; return seed % n; };
  for (let i = 0; i < 3_000; i += 1) {
    const text = Array.from({ length: 1 + pick(8) }, () => bag[pick(bag.length)]).join('');
    const once = maskText(text).text;
    assert.deepEqual(maskText(once), { text: once, count: 0 }, JSON.stringify(text));
  }
});

test('what is masked is counted', () => {
  assert.equal(maskText('password=a token=b c=d').count, 2);
  assert.equal(maskText('nothing here').count, 0);
});

test('the mask says nothing about the length of the secret', () => {
  assert.equal(maskText('password=a').text, maskText(`password=${'a'.repeat(500)}`).text);
});

test('hostile megabytes cost about what harmless ones cost', () => {
  const size = 1_000_000;
  const fill = (part: string): string => part.repeat(Math.ceil(size / part.length)).slice(0, size);
  const hostile = [
    'a', 'eyJ', 'eyJ-', 'eyJa.', 'password', 'password=', 'password:"', "password='", 'password=\\', '"password":"\\', '\\', '\\"', '=', ':', '%3D', '://', '://a:', '://a:b', 'a@', '<a>', '<password>', 'name="', 'key="a" value="', "key='a',", "'cookie',", "'cookie','",
    ';password="a', ';password=a', '; pwd=', 'Cookie: ', 'Cookie:', 'Cookie: [', 'Authorization: ', 'Authorization: Digest ', 'Bearer ', 'Bearer\t', 'Bearer aaaaaaaa', '-----BEGIN PRIVATE KEY-----', '-----BEGIN PRIVATE KEY-----a-', '-----BEGIN ', '-----END',
    'key:', 'key: ', 'token%3A', 'token%3A1!', 'key:,', 'key:"', 'key:\\\'', ';key:', 'AKIA', 'abc8Q~', 'A/', 'A+B/', 'ghp_', 'xox', 'sk-', ' ', '\t', '\n', 'a-', 'a.', '[masked]', 'password=[masked]', ',', '--a ', '--password ', '?', '&', '&code', '%', '%7', '%3F', '"', "'",
  ];
  // A generous ratio against the same work on prose: quadratic work on a megabyte would be thousands of times slower.
  const prose = fill('The quick brown fox: jumps=over the lazy dog 123. ');
  const cost = (text: string): number => { const from = process.cpuUsage(); maskText(text); const quarter = text.slice(0, size / 4); maskQuery(quarter); maskCommandLine(quarter); const used = process.cpuUsage(from); return (used.user + used.system) / 1_000; };
  const plain = Math.max(50, cost(prose), cost(prose));
  for (const part of hostile) {
    const took = cost(fill(part));
    assert.ok(took < plain * 40, `${JSON.stringify(part)} took ${Math.round(took)} ms of CPU, prose ${Math.round(plain)} ms`);
  }
});

test('known values are found anywhere, also URL-encoded and JSON-escaped, short ones are not', () => {
  const mask = masker(['p@ss/word 1', 'short', 'quo"te-secret', '', '[masked]', 'a.*b(c)[d]^$']);
  assert.deepEqual(mask('x p@ss/word 1 y p%40ss%2Fword%201 z {"q":"quo\\"te-secret"} short a.*b(c)[d]^$'), { text: 'x [masked] y [masked] z {"q":"[masked]"} short [masked]', count: 4 });
  assert.deepEqual(mask('[masked]'), { text: '[masked]', count: 0 });
  assert.equal(masker(['12345678', '1234567890'])('1234567890').text, MASK);   // the longest first: nothing of it stays
});

test('queries keep their names and lose their secrets', () => {
  const table: readonly (readonly [string, string, number])[] = [
    ['code=abc&id=4', 'code=[masked]&id=4', 1],
    ['?sig=a%3D&sv=1&access_token=x&key=y&password=z&token=t', '?sig=[masked]&sv=1&access_token=[masked]&key=[masked]&password=[masked]&token=[masked]', 5],
    ['pass%77ord=hunter2', 'pass%77ord=[masked]', 1],
    ['q=monkey&page=2&X-ARR-LOG-ID=0f8fad5b-d9cb-469f-a165-70867728950e', 'q=monkey&page=2&X-ARR-LOG-ID=0f8fad5b-d9cb-469f-a165-70867728950e', 0],
    ['-', '-', 0], ['', '', 0], ['code=', 'code=', 0], ['code=[masked]', 'code=[masked]', 0],
    [`t=${JWT}`, 't=[masked]', 1],
    ['next=https%3A%2F%2Fx%3Fsig%3Dabc', 'next=https%3A%2F%2Fx%3Fsig%3D[masked]', 1],
    ['%E0%A4%A=1', '%E0%A4%A=1', 0],
  ];
  for (const [query, expected, count] of table) assert.deepEqual(maskQuery(query), { query: expected, count });
});

test('a URL loses credentials, secret parameters and token fragments', () => {
  assert.deepEqual(maskUrl('https://u:p@h/a?code=1&x=2#access_token=3'), { url: 'https://u:[masked]@h/a?code=[masked]&x=2#access_token=[masked]', count: 3 });
});

test('variables: by name, by form of the value, by key vault reference', () => {
  assert.deepEqual(maskVariable('ApiKey', 'x'), { value: MASK, masked: true });
  assert.deepEqual(maskVariable('ApiKey', ''), { value: '', masked: false });
  assert.deepEqual(maskVariable('PWD', '/home/site/wwwroot'), { value: '/home/site/wwwroot', masked: false });
  assert.deepEqual(maskVariable('PWD', 'hunter2'), { value: MASK, masked: true });
  assert.deepEqual(maskVariable('WEBSITE_RUN_FROM_PACKAGE', 'https://s/c.zip?sv=1&sig=abc'), { value: 'https://s/c.zip?sv=1&sig=[masked]', masked: true });
  const variables = [{ name: 'WEBSITE_KEYVAULT_REFERENCES', value: '{"Plain":{"status":"Resolved"}}' }, { name: 'Plain', value: 'from-vault' }, { name: 'APPSETTING_Plain', value: 'from-vault' }, { name: 'Other', value: 'x' }, { name: 'DB_PASSWORD', value: 'hunter2hunter2' }];
  assert.deepEqual(maskVariables(variables).map((v) => v.value), ['{"Plain":{"status":"Resolved"}}', MASK, MASK, 'x', MASK]);
  assert.deepEqual(secretValues(variables), ['from-vault', 'from-vault', 'hunter2hunter2']);
});

test('command lines lose the values of secret options', () => {
  const table: readonly (readonly [string, string])[] = [
    ['node server.js --password hunter2 --port 80', 'node server.js --password [masked] --port 80'],
    ['app --token=abc /pwd:x "--api-key" "a b"', 'app --token=[masked] /pwd:[masked] "--api-key" [masked]'],
    ['curl -u ann:hunter2 https://x', 'curl -u ann:[masked] https://x'],
    ['mysqldump -phunter2 -P 3306 shop', 'mysqldump -p[masked] -P 3306 shop'],
    ['sqlcmd -S db -P hunter2', 'sqlcmd -S db -P [masked]'],
    ['node --require ./x.js server.js --port 3000', 'node --require ./x.js server.js --port 3000'],
    ['--password --verbose', '--password --verbose'],
  ];
  for (const [line, expected] of table) { assert.equal(maskCommandLine(line), expected); assert.equal(maskCommandLine(expected), expected); }
});

test('what is passed over as short words of a path is what nothing would be masked in', () => {
  const pieces = ['api', 'v1', '{id}', 'token', 'sig', 'secret', 'password', 'Bearer', 'cookie', 'a1b2c3d4e5f6g', 'AKIAIOSFODNN7', 'ghp_012345678', 'sk-0123456789', 'xoxb-12345678', 'eyJhbGciOi', 'abc7Q', 'e', 'yJ', '-', '_', '/', '.', '{', '}'];
  const next = seeded(31);
  for (let i = 0; i < 20_000; i += 1) {
    const text = Array.from({ length: 1 + Math.floor(next() * 8) }, () => `${pieces[Math.floor(next() * pieces.length)]}${next() < 0.5 ? '/' : ''}`).join('');
    // A space is no sign of a path: with it everything is looked at.
    assert.equal(`${maskText(text).text} `, maskText(`${text} `).text, text);
  }
});
