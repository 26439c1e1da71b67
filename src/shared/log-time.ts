// Owns the instant of a log line: the forms of time that logs begin with, in UTC unless the line says otherwise.

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** A time further in than this belongs to the message. */
const LOOK_CHARS = 200;

// Up to three short words may stand before an ISO time: a level, a bracket, syslog's "<34>1", a client's address.
const ISO = /^\uFEFF?(?:[[(<"]*[A-Za-z]{3,9}[\])>:,|"]*\s+|<\d{1,3}>\d?\s*|\[\d+\]\s+)?[["(]*(\d{4})[-/](\d\d)[-/](\d\d)[T ,_]+(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\s?(Z\b|UTC\b|GMT\b|[+-]\d\d:?\d\d\b)?/;
const CLF = /\[(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-]\d{4})\]/;
const PHP = /^\[(\d\d)-([A-Z][a-z]{2})-(\d{4}) (\d\d):(\d\d):(\d\d)(?:\.\d+)?(?: ([A-Za-z_/+-]+))?\]/;
const ASCTIME = /^\[?[A-Z][a-z]{2} ([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? (\d{4})\]?/;
const JAVA = /^([A-Z][a-z]{2}) (\d{1,2}), (\d{4}),? (\d{1,2}):(\d\d):(\d\d) ([AP]M)/;
const DAY_FIRST = /^\[?(\d{1,2})-([A-Z][a-z]{2})-(\d{4}) (\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?/; // Tomcat
const SYSLOG = /^(?:<\d{1,3}>)?([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)\b/;
const DOTNET_WIDE = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d) {2}PID\[/;

/** Names under which JSON logs say their time, by how common they are (pino, winston, Serilog, zap, ECS). */
const JSON_TIMES = ['time', 'timestamp', '@timestamp', 'ts', '@t', 't', 'datetime', 'date', 'Timestamp', 'asctime'];

/** The instant a line begins with, in epoch ms; undefined when it says none, or only a form that cannot be told apart
 *  (03/04/2026). `near` is an instant close to the line's, for syslog, which leaves out the year. */
export function timeOf(text: string, near?: number): number | undefined {
  const head = text.length > LOOK_CHARS ? text.slice(0, LOOK_CHARS) : text;
  const first = head.charCodeAt(0);
  if (first === 0x7b) return undefined; // "{": see jsonTime
  const iso = ISO.exec(head) ?? DOTNET_WIDE.exec(head);
  if (iso) return instant(iso[1], iso[2], iso[3], iso[4], iso[5], iso[6], iso[7], iso[8]);
  return named(head) ?? syslog(head, near);
}

/** The instant a JSON entry carries. Numbers are seconds, ms, µs or ns by their size. */
export function jsonTime(fields: Readonly<Record<string, unknown>>): number | undefined {
  for (const name of JSON_TIMES) {
    const value = fields[name];
    if (typeof value === 'number') return epoch(value);
    if (typeof value === 'string') return /^\d{9,19}(\.\d+)?$/.test(value) ? epoch(Number(value)) : timeOf(value);
  }
  return undefined;
}

function epoch(value: number): number | undefined {
  if (!Number.isFinite(value) || value < 1e8) return undefined;
  let ms = value;
  if (value < 1e11) ms = value * 1e3;
  else if (value > 1e17) ms = value / 1e6;
  else if (value > 1e14) ms = value / 1e3;
  return Math.floor(ms);
}

function named(head: string): number | undefined {
  const php = PHP.exec(head);
  if (php) return zoned(instant(php[3], month(php[2]), php[1], php[4], php[5], php[6]), php[7]);
  const day = DAY_FIRST.exec(head);
  if (day) return instant(day[3], month(day[2]), day[1], day[4], day[5], day[6], day[7]);
  const asctime = ASCTIME.exec(head);
  if (asctime) return instant(asctime[7], month(asctime[1]), asctime[2], asctime[3], asctime[4], asctime[5], asctime[6]);
  const java = JAVA.exec(head);
  if (java) return instant(java[3], month(java[1]), java[2], String((Number(java[4]) % 12) + (java[7] === 'PM' ? 12 : 0)), java[5], java[6]);
  const clf = CLF.exec(head);
  return clf ? instant(clf[3], month(clf[2]), clf[1], clf[4], clf[5], clf[6], undefined, clf[7]) : undefined;
}

/** Syslog has no year: the latest one that does not lie more than a day after `near`. */
function syslog(head: string, near: number | undefined): number | undefined {
  const found = near === undefined ? null : SYSLOG.exec(head);
  if (!found || near === undefined) return undefined;
  const year = new Date(near).getUTCFullYear() + 1;
  for (let y = year; y > year - 3; y -= 1) {
    const at = instant(String(y), month(found[1]), found[2], found[3], found[4], found[5]);
    if (at !== undefined && at <= near + 86_400_000) return at;
  }
  return undefined;
}

function month(word: string | undefined): string | undefined {
  const index = MONTHS.indexOf((word ?? '').toLowerCase());
  return index === -1 ? undefined : String(index + 1);
}

type Part = string | undefined;

function instant(year: Part, mon: Part, day: Part, hour: Part, minute: Part, second: Part, fraction?: Part, zone?: Part): number | undefined {
  if (mon === undefined) return undefined;
  const [y, mo, d, h, mi, s] = [Number(year), Number(mon), Number(day), Number(hour), Number(minute), Number(second)];
  if (mo < 1 || mo > 12 || d < 1 || d > 31 || h > 23 || mi > 59 || s > 60 || y < 1970) return undefined;
  const ms = fraction === undefined ? 0 : Math.floor(Number(`0.${fraction}`) * 1_000);
  return Date.UTC(y, mo - 1, d, h, mi, s, ms) - offsetMs(zone);
}

function offsetMs(zone: Part): number {
  const found = zone === undefined ? null : /^([+-])(\d\d):?(\d\d)$/.exec(zone);
  if (!found) return 0;
  return (found[1] === '-' ? -1 : 1) * (Number(found[2]) * 60 + Number(found[3])) * 60_000;
}

/** PHP writes the zone's name. A name we cannot resolve leaves the instant unknown rather than wrong by hours. */
function zoned(at: number | undefined, zone: Part): number | undefined {
  if (at === undefined || zone === undefined || zone === 'UTC' || zone === 'GMT') return at;
  const format = zoneFormat(zone);
  if (format === undefined) return undefined;
  const parts = Object.fromEntries(format.formatToParts(at).map((part) => [part.type, part.value]));
  const local = Date.UTC(Number(parts['year']), Number(parts['month']) - 1, Number(parts['day']), Number(parts['hour']) % 24, Number(parts['minute']), Number(parts['second']));
  return at - (local - at);
}

const MAX_ZONES = 16; // a site logs in one or two zones; more are hostile names
const zones = new Map<string, Intl.DateTimeFormat | undefined>();

function zoneFormat(zone: string): Intl.DateTimeFormat | undefined {
  if (zones.has(zone)) return zones.get(zone);
  let format: Intl.DateTimeFormat | undefined;
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // RangeError: no such zone
  }
  if (zones.size >= MAX_ZONES) zones.clear();
  zones.set(zone, format);
  return format;
}
