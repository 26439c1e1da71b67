// Owns the lines that runtimes, servers and platforms are known to write: what each means, and whom it names. Sources: Node, libuv, .NET, PHP, JVM, nginx, Kestrel, HikariCP, pg, Docker and App Service themselves.

export const SIGNS = [
  'js-heap-out', 'native-fault', 'killed-for-memory', 'unhandled-rejection', 'uncaught-exception', 'module-missing', 'port-taken', 'start-failed', 'start-slow', 'listen-late', 'listening', 'ping-failed',
  'connect-refused', 'connect-timed-out', 'connection-reset', 'call-timed-out', 'host-unknown', 'pool-empty', 'server-full', 'no-ports', 'no-descriptors', 'disk-full',
  'php-fatal', 'php-memory', 'php-time', 'php-children', 'php-slow', 'php-died', 'java-heap', 'java-gc-limit', 'java-deadlock', 'threads-busy', 'threads-starved', 'collecting', 'upstream-header', 'config-error', 'setting-missing', 'locked', 'iisnode', 'warming', 'request-error',
] as const;
export type Sign = (typeof SIGNS)[number];

interface Form { readonly sign: Sign; readonly pattern: RegExp; /** Group that names whom it is about. */ readonly named?: number }

/** `host:port` as runtimes write it. */
const REMOTE = String.raw`([\w.:[\]-]{2,120}?(?::\d{1,5})?)`;
const form = (sign: Sign, pattern: RegExp | string, named?: number): Form => ({ sign, pattern: typeof pattern === 'string' ? new RegExp(pattern, 'i') : pattern, ...(named === undefined ? {} : { named }) });

/** The first that fits is what a line means; the special before the general. */
const FORMS: readonly Form[] = [
  form('iisnode', /iisnode encountered an error when processing the request|@devErrorsEnabled/),
  form('js-heap-out', /JavaScript heap out of memory|Reached heap limit|ERR_WORKER_OUT_OF_MEMORY|Ineffective mark-compacts near heap limit|Fatal process out of memory/),
  form('java-gc-limit', /OutOfMemoryError: GC overhead limit exceeded/),
  form('java-heap', /java\.lang\.OutOfMemoryError(?:: (?:Java heap space|Requested array size exceeds VM limit|Metaspace))?|System\.OutOfMemoryException/),
  form('php-memory', /Allowed memory size of (\d+) bytes exhausted[^\n]{0,120}? in ([^\s:]+)(?::| on line )(\d+)/, 2),
  form('php-time', /Maximum execution time of [\d.+ ]+ seconds? exceeded in ([^\s:]+)/, 1),
  form('php-fatal', /PHP (?:Fatal|Parse|Recoverable fatal) error: +[^\n]{0,400}? in ([^\s:]+\.\w+)(?::| on line )\d+/, 1),
  form('php-fatal', /(?:^|\n|message: "|\] )(?:PHP message: )?PHP (?:Fatal|Parse) error: +/),
  form('php-children', /server reached (?:pm\.)?max_children setting|reached pm\.max_children/i),
  form('php-slow', /executing too slow \([\d.]+ sec\)|script_filename = |execution timed out \([\d.]+ sec\), terminating/i),
  form('php-died', /child \d+ exited on signal \d+/),
  form('java-deadlock', /Found (?:one|\d+) (?:Java-level )?deadlocks?/),
  form('killed-for-memory', /Out of memory: Kill(?:ed)? process \d+|oom-kill:|OOMKilled|oom_reaper|invoked oom-killer|Memory cgroup out of memory|exceeded (?:its )?memory limit|exit code:? '?137\b/i),
  form('native-fault', /EXCEPTION_ACCESS_VIOLATION|SIGSEGV|SIGBUS|Segmentation fault|segfault at|A fatal error has been detected by the Java Runtime Environment|Fatal error in , line|FATAL ERROR: (?!.*(?:heap|memory))|Faulting module name: ([^,\n]{1,80})|double free or corruption|stack smashing detected|AccessViolationException/, 1),
  form('unhandled-rejection', /ERR_UNHANDLED_REJECTION|UnhandledPromiseRejection|triggerUncaughtException\(err, true|\/\* fromPromise \*\/|node:internal\/process\/promises:\d+/),
  form('module-missing', /Cannot find (?:module|package) '([^']{1,160})'|ERR_MODULE_NOT_FOUND|ModuleNotFoundError: No module named '([^']{1,100})'|Could not load file or assembly '([^',]{1,120})|ClassNotFoundException: ([\w.$]{1,120})/, 1),
  form('port-taken', /EADDRINUSE[^\n]{0,60}?(?::{1,3}|port )(\d{2,5})|[Aa]ddress already in use[^\n]{0,40}?(?::(\d{2,5}))?|Only one usage of each socket address/, 1),
  form('no-ports', /EADDRNOTAVAIL|WSAENOBUFS|\b10055\b[^\n]{0,80}(?:buffer|queue)|Cannot assign requested address|An operation on a socket could not be performed because the system lacked sufficient buffer space|An attempt was made to access a socket in a way forbidden by its access permissions/),
  form('no-descriptors', /\bEMFILE\b|\bENFILE\b|[Tt]oo many open files|worker_connections are not enough/),
  form('disk-full', /\bENOSPC\b|No space left on device|There is not enough space on the disk|\bEDQUOT\b|[Dd]isk quota exceeded/),
  form('host-unknown', String.raw`(?:getaddrinfo (?:ENOTFOUND|EAI_AGAIN|EAI_FAIL)|queryA+ E[A-Z]+|UnknownHostException:|Could not resolve host:?|could not translate host name|getaddrinfo(?: for \S+)? failed|gethostbyname(?:\(\))? failed|host not found in upstream) "?${REMOTE}(?=["\s,:;)]|$)`, 1),
  form('host-unknown', /Name or service not known|No such host is known|Temporary failure in name resolution|The remote name could not be resolved: '?([\w.-]{1,120})|could not be resolved \(\d+: [\w ]+\)/i, 1),
  form('pool-empty', /Timeout acquiring a connection|ResourceRequest timed out|timeout exceeded when trying to connect|prior to obtaining a connection from the pool|Connection is not available, request timed out after|QueuePool limit of size|Unable to acquire (?:a )?(?:JDBC )?[Cc]onnection|[Tt]imed out (?:fetching a new|waiting for an available|while waiting for a) connection|Cannot get a connection, pool error|pool (?:is )?(?:exhausted|timeout)|ConnectionPool[^\n]{0,40}timed? ?out|Queue limit reached/i),
  form('server-full', /remaining connection slots are reserved|[Tt]oo many (?:clients already|connections\b)|ER_CON_COUNT_ERROR|max number of clients reached/),
  form('connect-refused', String.raw`connect ECONNREFUSED ${REMOTE}(?=[\s,;)]|$)`, 1),
  form('connect-refused', /ECONNREFUSED|Connection refused|No connection could be made because the target machine actively refused it|A network-related or instance-specific error occurred while establishing a connection|Communications link failure/i),
  form('connect-timed-out', String.raw`connect (?:ETIMEDOUT|EHOSTUNREACH|ENETUNREACH) ${REMOTE}(?=[\s,;)]|$)`, 1),
  form('connect-timed-out', /ConnectTimeoutError|connect timed out|Connection timed out after|ConnectTimeoutException|UND_ERR_CONNECT_TIMEOUT|EHOSTUNREACH/i),
  form('call-timed-out', /ETIMEDOUT|ESOCKETTIMEDOUT|ECONNABORTED|timeout of \d+ ?ms exceeded|UND_ERR_(?:HEADERS|BODY)_TIMEOUT|HeadersTimeoutError|SocketTimeoutException|Read timed out|The operation (?:has|was) timed out|HttpClient\.Timeout of|Query read timeout|statement timeout|Lock wait timeout exceeded|Execution Timeout Expired|ReadTimeout|Operation timed out after \d+|request (?:timed out|timeout)\b/i),
  form('connection-reset', /ECONNRESET|socket hang up|Connection reset by peer|An existing connection was forcibly closed|EPIPE|server closed the connection unexpectedly|Connection lost: The server closed|other side closed/),
  form('threads-starved', /not enough free threads in the ThreadPool|[Tt]hread ?[Pp]ool starvation|heartbeat has been running for/i),
  form('threads-busy', /All threads \(\d+\) are currently busy|RejectedExecutionException|Thread pool exhausted|Tomcat[^\n]{0,80}maxThreads/i),
  form('collecting', /(?:Mark-sweep|Mark-Compact|Scavenge)[^\n]{0,20}\(?[^\n]{0,120}ms:|Pause (?:Full|Young)[^\n]{0,120}\d+ms|Full GC/),
  form('ping-failed', /didn't respond to HTTP pings on port:? (\d{2,5})/i, 1),
  form('listen-late', /failed to listen on port '?(\d{2,5})'? within/i, 1),
  form('start-slow', /did not start within expected time limit|failed to start[^\n]{0,80}within (?:the )?(?:\w+ ){0,4}(?:\d+ ?(?:ms|s|seconds)|startupTimeLimit|time limit)|ANCM[^\n]{0,60}startup time/i),
  form('warming', /Waiting for response to warmup request for container|Initiating warmup request to container|initialized successfully and is ready to serve requests/),
  form('start-failed', /has exited, failing site start|failing site start|failed to start application|Failed to start process with commandline|Application '[^']{0,200}'[^\n]{0,200}failed to (?:start|load)|Could not find or load main class|no main manifest attribute|Error: Could not open|exec format error|startup (?:script|command)[^\n]{0,60}(?:not found|failed)/i),
  form('upstream-header', /upstream sent (?:invalid|too big|duplicate|no valid) [^\n]{0,80}header|HPE_(?:INVALID|HEADER)_\w+|Parse Error: (?:Invalid|Header)|ERR_INVALID_CHAR|Header overflow/),
  form('config-error', /Configuration (?:Error|file is not well-formed XML)|There is a duplicate '[^']{1,80}' section|web\.config[^\n]{0,80}(?:error|invalid|malformed)|nginx: \[emerg\]|\[emerg\] \d+#/i),
  form('setting-missing', /(?:[Mm]issing|[Uu]ndefined|[Uu]nset|[Rr]equired|[Ii]nvalid) (?:required )?(?:environment|env|app(?:lication)? setting|configuration|config)\b(?: (?:variable|setting|value|key|option|string)s?)?s?:?\s*["'`]?(?!(?:variable|setting|value|key|option|string)s?\b)([A-Za-z_][\w.-]{1,80})|Config validation error: "?([\w.]{1,80})"? is|[Ee]nvironment variable ["'`]?([A-Za-z_]\w{1,80})["'`]? (?:is )?(?:not (?:set|defined|found)|missing|required|must be)|Could not resolve placeholder '([\w.:-]{1,80})'|No connection string named '([\w.:-]{1,80})'|The ConnectionString property has not been initialized|Set the ([A-Z_]\w{1,80}) environment variable|The SECRET_KEY setting must not be empty|secretOrPrivateKey must have a value|client password must be a string/, 1),
  form('locked', /[Dd]eadlock (?:found when trying to get lock|detected)|deadlocked on (?:lock|\{?lock)|ORA-00060|SQLITE_BUSY|database is locked|could not obtain lock on|ER_LOCK_DEADLOCK/),
  form('listening', /(?:[Ll]istening|[Rr]unning|[Ss]erving|[Ss]tarted|ready)\b[^\n]{0,60}?(?:port:?\s*|:\/\/[\w.[\]-]{1,80}:|(?:127\.0\.0\.1|0\.0\.0\.0|localhost|\[::\]|\[::1\]):|(?<=[Ll]istening (?:on|at) ):?)(\d{2,5})\b/, 1),
  form('request-error', /An unhandled exception (?:has occurred|was thrown)/),
  form('uncaught-exception', /Uncaught (?:\w*(?:Error|Exception))|uncaughtException|Unhandled [Ee]xception/),
];

/** Which log lines are worth the table: spares it for nearly all of a healthy log. Every form holds one of these words. */
const WORTH = /err|E[A-Z]{4,}|fail|refus|timed? ?out|timeout|fatal|memory|exhaust|exceed|overhead|limit|space|too many|busy|starv|deadlock|kill|oom|SIG[A-Z]{3}|segf|listen|running|serving|started|ready|unhandled|uncaught|reject|fromPromise|promises:|pool|slots|Allowed|max_children|slow|script_filename|exited|hosts?\b|resolv|upstream|socket|reset|hang up|EPIPE|server closed|lost|Mark-|Scavenge|Pause|Full GC|heartbeat|threads|emerg|config|ping|Cannot|main|corruption|smash|quota|disk|worker_conn|Communications|established|instance-specific|address|gethost|translate|environment|missing|required|setting|placeholder|locked?|BUSY|secretOr|password|ORA-|iisnode|devErrors|warmup|initialized|exception/i;

export interface SignFound { readonly sign: Sign; readonly named: string | undefined }

/** What a log entry says, if it is one of the known lines. Text is looked at up to 6,000 characters. */
export function signOf(text: string): SignFound | undefined {
  const looked = text.length > 6_000 ? text.slice(0, 6_000) : text;
  if (!WORTH.test(looked)) return undefined;
  for (const { sign, pattern, named } of FORMS) {
    const found = pattern.exec(looked);
    if (found) return { sign, named: named === undefined ? undefined : found.slice(named).find((group) => group !== undefined) };
  }
  return undefined;
}

/** Errors of the preload and of runtimes by their short codes. */
export function signOfCode(code: string): Sign | undefined {
  return CODES[code];
}
const CODES: Readonly<Record<string, Sign>> = {
  ECONNREFUSED: 'connect-refused', ECONNRESET: 'connection-reset', EPIPE: 'connection-reset', UND_ERR_SOCKET: 'connection-reset', ETIMEDOUT: 'connect-timed-out', EHOSTUNREACH: 'connect-timed-out', ENETUNREACH: 'connect-timed-out',
  UND_ERR_CONNECT_TIMEOUT: 'connect-timed-out', UND_ERR_HEADERS_TIMEOUT: 'call-timed-out', UND_ERR_BODY_TIMEOUT: 'call-timed-out', ESOCKETTIMEDOUT: 'call-timed-out', ECONNABORTED: 'call-timed-out', TimeoutError: 'call-timed-out', AbortError: 'call-timed-out',
  ENOTFOUND: 'host-unknown', EAI_AGAIN: 'host-unknown', EAI_FAIL: 'host-unknown', EMFILE: 'no-descriptors', ENFILE: 'no-descriptors', EADDRNOTAVAIL: 'no-ports', ENOSPC: 'disk-full',
};
