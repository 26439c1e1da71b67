// Owns the judgement of names: does the name of a setting, a field or a query parameter say that its value is secret.

/** Families of App Service whose every member is secret, whatever the rest of the name says (facts: appservice.md). */
const FAMILIES = /^(?:(?:sql|sqlazure|mysql|postgresql|custom|redis|documentdb|eventhub|servicebus|notificationhub|api)connstr_|website_auth_|machinekey_|azurewebjobs|identity_header$|msi_secret$)|sasur[il]/;

/** A word of a name that is enough by itself. */
const SECRET_WORDS = new Set([
  'key', 'keys', 'pwd', 'token', 'tokens', 'sas', 'sig', 'signature', 'credential', 'credentials', 'cred', 'creds',
  'connstr', 'dsn', 'jwt', 'authorization', 'cookie', 'cookies', 'authkey', 'otp',
]);
/** Parts that say it also when glued into a longer word: PGPASSWORD, SECRETKEYBASE, WEBSITE_CONTENTAZUREFILECONNECTIONSTRING. */
const SECRET_PART = /passw|passphrase|secret|credential|connectionstring|connstr/;
/** Ends of glued words: INSTRUMENTATIONKEY, AUTHTOKEN, DBPASS. */
const SECRET_END = /(?:key|keys|token|pwd|pass|signature)$/;
/** English words that only look like it. A glued "…key" that nobody listed is masked: a hidden harmless value costs less than a shown secret. */
const LOOK_ALIKES = new Set([
  'monkey', 'donkey', 'turkey', 'hockey', 'jockey', 'whiskey', 'hotkey', 'hotkeys', 'monkeys', 'turnkey', 'mickey', 'bypass', 'compass', 'surpass',
  'trespass', 'encompass', 'secretary', 'oldpwd', 'publickeytoken', 'publickey', 'primarykey', 'foreignkey', 'partitionkey', 'rowkey', 'cachekey', 'sortkey',
]);
/** Keys that name a thing and open nothing: they stand in exceptions of databases, caches and queues, and say what failed. */
const HARMLESS_KEYS = new Set(['public', 'primary', 'foreign', 'partition', 'row', 'cache', 'sort', 'routing', 'shard', 'unique', 'composite', 'duplicate']);
/** A last word that says the value is a measure of the secret, its name or its place, not the secret: TOKEN_TTL, PASSWORD_MIN_LENGTH, SSL_KEY_FILE. */
const MEASURES = new Set(['name', 'type', 'path', 'file', 'dir', 'length', 'ttl', 'timeout', 'count', 'size', 'enabled', 'disabled', 'required', 'algorithm', 'expiry', 'expires', 'expiration', 'lifetime', 'parallelism', 'retries', 'interval']);

/**
 * Whether a name says that its value is secret: APPSETTING_-prefixed and plain names that speak of a key, secret, password, token,
 * connection string, SAS, credential or signature, and the families App Service fills with secrets.
 * KEYBOARD, MONKEY, PATH, TOKENIZERS_PARALLELISM, MAX_TOKENS, PUBLIC_KEY, KEY_VAULT_URI and the shell's PWD are not.
 */
export function isSecretName(name: string): boolean {
  const bare = name.slice(0, MAX_NAME).replace(/^APPSETTING_/i, '');
  if (bare === 'PWD' || bare === 'OLDPWD') return false;       // the shell's working folder; maskVariable looks at its value too
  if (FAMILIES.test(bare.toLowerCase())) return true;
  const words = wordsOf(bare);
  const last = words.at(-1);
  if (last === undefined || MEASURES.has(last)) return false;
  if (words.includes('max') && last === 'tokens') return false;
  return words.some((word, i) => isSecretWord(word, words[i - 1], words[i + 1]) && !isAssemblyToken(words, i));
}

/** Names longer than this are judged by their beginning: no setting has such a name, a hostile text may. */
const MAX_NAME = 200;

function isSecretWord(word: string, before: string | undefined, after: string | undefined): boolean {
  if (LOOK_ALIKES.has(word)) return false;
  if (word === 'key' && (after === 'vault' || HARMLESS_KEYS.has(before ?? ''))) return false;
  if (word === 'token' && before === 'cancellation') return false;
  if (SECRET_WORDS.has(word) || SECRET_PART.test(word)) return true;
  if (word === 'pass' || word === 'auth') return after === undefined;
  if (word === 'connection' && (after === 'string' || after === 'strings')) return true;
  return SECRET_END.test(word);
}

/** PublicKeyToken=b03f5f7f11d50a3a is part of every full name of a .NET assembly. */
function isAssemblyToken(words: readonly string[], i: number): boolean {
  return words[i] === 'token' && words[i - 1] === 'key' && words[i - 2] === 'public';
}

/** 'ConnectionStrings:MainDb' → connection, strings, main, db; 'API_KEY2' → api, key. */
function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word.length > 0);
}

/** Names that are secret only as query parameters: a `code` in a setting is an ordinary word. */
const QUERY_NAMES = new Set([
  'code', 'state', 'assertion', 'client_assertion', 'session', 'sessionid', 'session_id', 'sid', 'jsessionid', 'phpsessid', 'ticket', 'samlresponse', 'samlrequest', 'pass', 'pin',
]);

/** As isSecretName, for a parameter of a URL: `code` (function keys, OAuth), session ids and the like are secret too. */
export function isSecretQueryName(name: string): boolean {
  return QUERY_NAMES.has(name.toLowerCase()) || isSecretName(name);
}

/** Single words that are secret as a setting but ordinary in prose: "Unexpected token: x", "duplicate key: y". */
const WEAK = new Set(['key', 'keys', 'token', 'tokens', 'sig', 'signature', 'sas', 'jwt', 'auth', 'dsn', 'pass', 'credentials', 'credential', 'otp']);

/** Whether the name alone convicts what stands behind a colon in prose. */
export function isWeakName(name: string): boolean {
  return WEAK.has(name.toLowerCase());
}
