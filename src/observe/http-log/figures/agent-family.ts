// Owns the families of user agents: what asked (a browser, a bot, a probe of the platform), told from its own words.

/** Families told apart; names of bots are free text, so there could be any number. */
const MAX_NAME = 40;
export const NO_FAMILY = 'Other';

/** The first that matches counts: platform and tools before bots, bots before browsers, and browsers before the names they borrow. */
const FAMILIES: readonly (readonly [RegExp, string])[] = [
  [/^AlwaysOn\b/i, 'AlwaysOn'],
  [/^HealthCheck\/|App ?Service ?Health|^Azure Traffic Manager Endpoint Monitor|^Edge Health Probe|Azure-Load-Balancer/i, 'Health probe'],
  [/^ReadyForRequest\//i, 'ReadyForRequest'],
  [/^SiteWarmup|^IIS Application Initialization|^Initialization\//i, 'Warm-up'],
  [/AppInsights|Application ?Insights/i, 'Application Insights'],
  [/^kube-probe\//i, 'kube-probe'], [/^ELB-HealthChecker/i, 'Health probe'], [/^GoogleHC\//i, 'Health probe'],
  [/Googlebot/i, 'Googlebot'], [/bingbot|BingPreview|adidxbot/i, 'Bingbot'], [/DuckDuckBot/i, 'DuckDuckBot'], [/YandexBot|YandexImages/i, 'YandexBot'], [/Baiduspider/i, 'Baiduspider'],
  [/Applebot/i, 'Applebot'], [/facebookexternalhit|meta-externalagent/i, 'Facebook'], [/Twitterbot/i, 'Twitterbot'], [/LinkedInBot/i, 'LinkedInBot'], [/Slackbot/i, 'Slackbot'],
  [/AhrefsBot/i, 'AhrefsBot'], [/SemrushBot/i, 'SemrushBot'], [/MJ12bot/i, 'MJ12bot'], [/DotBot/i, 'DotBot'], [/GPTBot|ChatGPT-User|OAI-SearchBot/i, 'OpenAI'], [/ClaudeBot|Claude-Web|anthropic-ai/i, 'ClaudeBot'],
  [/PetalBot/i, 'PetalBot'], [/Bytespider/i, 'Bytespider'], [/CCBot/i, 'CCBot'], [/UptimeRobot/i, 'UptimeRobot'], [/Pingdom/i, 'Pingdom'], [/StatusCake/i, 'StatusCake'], [/Site24x7/i, 'Site24x7'],
  [/^curl\//i, 'curl'], [/^Wget\//i, 'Wget'], [/python-requests\//i, 'python-requests'], [/^Python|aiohttp|python-httpx|Python-urllib/i, 'Python'], [/^Go-http-client\//i, 'Go'],
  [/^okhttp\//i, 'okhttp'], [/^Apache-HttpClient/i, 'Apache HttpClient'], [/^Java\/|^Java-http-client/i, 'Java'], [/^PostmanRuntime\//i, 'Postman'], [/^axios\//i, 'axios'], [/node-fetch|^undici|^node(?:\/|$)/i, 'Node.js'],
  [/PowerShell/i, 'PowerShell'], [/^Microsoft Office|Microsoft-WebDAV|MSOffice/i, 'Microsoft Office'], [/^RestSharp|^Refit|^\.NET|^Microsoft ADO|System\.Net\.Http/i, '.NET'], [/^PHP|GuzzleHttp/i, 'PHP'], [/^Ruby|^Faraday/i, 'Ruby'],
  [/^k6\//i, 'k6'], [/Apache-JMeter|JMeter/i, 'JMeter'], [/^ApacheBench/i, 'ApacheBench'], [/^wrk|^hey\/|^vegeta|^autocannon|bombardier/i, 'Load test'],
  [/(?:zgrab|masscan|nuclei|sqlmap|nikto|Nmap|Expanse|CensysInspect|InternetMeasurement)/i, 'Scanner'],
];
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdgA?(?:iOS)?\/|\bEdge\//, 'Edge'], [/\bOPR\/|\bOpera\b/, 'Opera'], [/SamsungBrowser\//, 'Samsung Internet'], [/YaBrowser\//, 'Yandex Browser'], [/\bFirefox\/|\bFxiOS\//, 'Firefox'],
  [/HeadlessChrome\//, 'Headless Chrome'], [/\bChrome\/|\bCriOS\/|\bChromium\//, 'Chrome'], [/\bMSIE |\bTrident\//, 'Internet Explorer'], [/\bSafari\//, 'Safari'],
  [/\bAppleWebKit\//, 'WebKit'], [/\bGecko\//, 'Gecko'],
];
/** A name that ends in bot, crawler, spider or monitor. */
const BOT = /([A-Za-z][A-Za-z0-9._-]{0,38}?(?:bot|crawler|spider|monitor|scanner))\b/i;
const PRODUCT = /^([A-Za-z][A-Za-z0-9 ._-]{0,39}?)(?:\/|$)/;

/** Family of a user agent as the log has it; IIS writes `+` for each space. */
export function agentFamily(agent: string): string {
  const text = agent.slice(0, 1_000).replaceAll('+', ' ');
  for (const [pattern, family] of FAMILIES) if (pattern.test(text)) return family;
  const bot = BOT.exec(text)?.[1];
  if (bot !== undefined) return bot.slice(0, MAX_NAME);
  for (const [pattern, family] of BROWSERS) if (pattern.test(text)) return family;
  return PRODUCT.exec(text)?.[1]?.trim() || NO_FAMILY;
}
