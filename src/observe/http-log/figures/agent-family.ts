// Owns the families of user agents: what asked (a browser, a bot, a probe of the platform), told from its own words.

/** Families told apart; names of bots are free text, so there could be any number. */
const MAX_NAME = 40;
export const NO_FAMILY = 'Other';

/** A pattern, its family, and words in small letters of which a text that matches has at least one: looking for those is cheaper than making the pattern. */
type Family = readonly [pattern: RegExp, family: string, ...words: readonly string[]];

/** The first that matches counts: platform and tools before bots, bots before browsers, and browsers before the names they borrow. */
const FAMILIES: readonly Family[] = [
  [/^AlwaysOn\b/i, 'AlwaysOn', 'alwayson'],
  [/^HealthCheck\/|App ?Service ?Health|^Azure Traffic Manager Endpoint Monitor|^Edge Health Probe|Azure-Load-Balancer/i, 'Health probe', 'healthcheck/', 'service', 'azure traffic manager endpoint monitor', 'edge health probe', 'azure-load-balancer'],
  [/^ReadyForRequest\//i, 'ReadyForRequest', 'readyforrequest/'],
  [/^SiteWarmup|^IIS Application Initialization|^Initialization\//i, 'Warm-up', 'sitewarmup', 'iis application initialization', 'initialization/'],
  [/AppInsights|Application ?Insights/i, 'Application Insights', 'appinsights', 'application'],
  [/^kube-probe\//i, 'kube-probe', 'kube-probe/'], [/^ELB-HealthChecker/i, 'Health probe', 'elb-healthchecker'], [/^GoogleHC\//i, 'Health probe', 'googlehc/'],
  [/Googlebot/i, 'Googlebot', 'googlebot'], [/bingbot|BingPreview|adidxbot/i, 'Bingbot', 'bingbot', 'bingpreview', 'adidxbot'], [/DuckDuckBot/i, 'DuckDuckBot', 'duckduckbot'], [/YandexBot|YandexImages/i, 'YandexBot', 'yandexbot', 'yandeximages'], [/Baiduspider/i, 'Baiduspider', 'baiduspider'],
  [/Applebot/i, 'Applebot', 'applebot'], [/facebookexternalhit|meta-externalagent/i, 'Facebook', 'facebookexternalhit', 'meta-externalagent'], [/Twitterbot/i, 'Twitterbot', 'twitterbot'], [/LinkedInBot/i, 'LinkedInBot', 'linkedinbot'], [/Slackbot/i, 'Slackbot', 'slackbot'],
  [/AhrefsBot/i, 'AhrefsBot', 'ahrefsbot'], [/SemrushBot/i, 'SemrushBot', 'semrushbot'], [/MJ12bot/i, 'MJ12bot', 'mj12bot'], [/DotBot/i, 'DotBot', 'dotbot'], [/GPTBot|ChatGPT-User|OAI-SearchBot/i, 'OpenAI', 'gptbot', 'chatgpt-user', 'oai-searchbot'], [/ClaudeBot|Claude-Web|anthropic-ai/i, 'ClaudeBot', 'claudebot', 'claude-web', 'anthropic-ai'],
  [/PetalBot/i, 'PetalBot', 'petalbot'], [/Bytespider/i, 'Bytespider', 'bytespider'], [/CCBot/i, 'CCBot', 'ccbot'], [/UptimeRobot/i, 'UptimeRobot', 'uptimerobot'], [/Pingdom/i, 'Pingdom', 'pingdom'], [/StatusCake/i, 'StatusCake', 'statuscake'], [/Site24x7/i, 'Site24x7', 'site24x7'],
  [/^curl\//i, 'curl', 'curl/'], [/^Wget\//i, 'Wget', 'wget/'], [/python-requests\//i, 'python-requests', 'python-requests/'], [/^Python|aiohttp|python-httpx|Python-urllib/i, 'Python', 'python', 'aiohttp'], [/^Go-http-client\//i, 'Go', 'go-http-client/'],
  [/^okhttp\//i, 'okhttp', 'okhttp/'], [/^Apache-HttpClient/i, 'Apache HttpClient', 'apache-httpclient'], [/^Java\/|^Java-http-client/i, 'Java', 'java/', 'java-http-client'], [/^PostmanRuntime\//i, 'Postman', 'postmanruntime/'], [/^axios\//i, 'axios', 'axios/'], [/node-fetch|^undici|^node(?:\/|$)/i, 'Node.js', 'undici', 'node'],
  [/PowerShell/i, 'PowerShell', 'powershell'], [/^Microsoft Office|Microsoft-WebDAV|MSOffice/i, 'Microsoft Office', 'microsoft office', 'microsoft-webdav', 'msoffice'], [/^RestSharp|^Refit|^\.NET|^Microsoft ADO|System\.Net\.Http/i, '.NET', 'restsharp', 'refit', '.net', 'microsoft ado'], [/^PHP|GuzzleHttp/i, 'PHP', 'php', 'guzzlehttp'], [/^Ruby|^Faraday/i, 'Ruby', 'ruby', 'faraday'],
  [/^k6\//i, 'k6', 'k6/'], [/Apache-JMeter|JMeter/i, 'JMeter', 'jmeter'], [/^ApacheBench/i, 'ApacheBench', 'apachebench'], [/^wrk|^hey\/|^vegeta|^autocannon|bombardier/i, 'Load test', 'wrk', 'hey/', 'vegeta', 'autocannon', 'bombardier'],
  [/(?:zgrab|masscan|nuclei|sqlmap|nikto|Nmap|Expanse|CensysInspect|InternetMeasurement)/i, 'Scanner', 'zgrab', 'masscan', 'nuclei', 'sqlmap', 'nikto', 'nmap', 'expanse', 'censysinspect', 'internetmeasurement'],
];
const BROWSERS: readonly Family[] = [
  [/\bEdgA?(?:iOS)?\/|\bEdge\//, 'Edge', 'edg'], [/\bOPR\/|\bOpera\b/, 'Opera', 'opr/', 'opera'], [/SamsungBrowser\//, 'Samsung Internet', 'samsungbrowser/'], [/YaBrowser\//, 'Yandex Browser', 'yabrowser/'], [/\bFirefox\/|\bFxiOS\//, 'Firefox', 'firefox/', 'fxios/'],
  [/HeadlessChrome\//, 'Headless Chrome', 'headlesschrome/'], [/\bChrome\/|\bCriOS\/|\bChromium\//, 'Chrome', 'chrome/', 'crios/', 'chromium/'], [/\bMSIE |\bTrident\//, 'Internet Explorer', 'msie ', 'trident/'], [/\bSafari\//, 'Safari', 'safari/'],
  [/\bAppleWebKit\//, 'WebKit', 'applewebkit/'], [/\bGecko\//, 'Gecko', 'gecko/'],
];
/** The words of all FAMILIES: one look passes over most browsers. */
const WORDS = new RegExp(FAMILIES.flatMap(([, , ...words]) => words).map((word) => word.replace(/[^a-z0-9 ]/g, '\\$&')).join('|'));
/** A name that ends in bot, crawler, spider or monitor. */
const BOT = /([A-Za-z][A-Za-z0-9._-]{0,38}?(?:bot|crawler|spider|monitor|scanner))\b/i;
const BOT_WORDS = ['bot', 'crawler', 'spider', 'monitor', 'scanner'];
const PRODUCT = /^([A-Za-z][A-Za-z0-9 ._-]{0,39}?)(?:\/|$)/;

/** Family of a user agent as the log has it; IIS writes `+` for each space. */
export function agentFamily(agent: string): string {
  const text = agent.slice(0, 1_000).replaceAll('+', ' ');
  const small = text.toLowerCase();
  const family = WORDS.test(small) ? firstOf(FAMILIES, text, small) : undefined;
  if (family !== undefined) return family;
  const bot = BOT_WORDS.some((word) => small.includes(word)) ? BOT.exec(text)?.[1] : undefined;
  if (bot !== undefined) return bot.slice(0, MAX_NAME);
  const browser = firstOf(BROWSERS, text, small);
  if (browser !== undefined) return browser;
  return PRODUCT.exec(text)?.[1]?.trim() || NO_FAMILY;
}

function firstOf(families: readonly Family[], text: string, small: string): string | undefined {
  for (const one of families) if (mayFit(one, small) && one[0].test(text)) return one[1];
  return undefined;
}

function mayFit(family: Family, small: string): boolean {
  for (let i = 2; i < family.length; i += 1) if (small.includes(family[i] as string)) return true;
  return false;
}
