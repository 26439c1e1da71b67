// Owns the HTTP log's text: App Service's field order and header, and a row that hostile input cannot break.

/** What is known of a request when it has ended. Texts are as the client sent them; absent is written `-`. */
export interface Row {
  readonly at: number;
  readonly method: string;
  readonly stem: string;
  readonly query: string | undefined;
  readonly port: number;
  readonly client: string | undefined;
  readonly userAgent: string | undefined;
  readonly cookie: string | undefined;
  readonly referer: string | undefined;
  readonly host: string | undefined;
  readonly arrLogId: string;
  readonly status: number;
  readonly substatus: number;
  readonly win32: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly takenMs: number;
}

const FIELDS =
  'date time s-sitename cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Cookie) ' +
  'cs(Referer) cs-host sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken';

/** IIS replaces the rest of a longer field by three dots; without a cut one request could fill the disk. */
const FIELD_CHARS = 4096;

/** The four lines IIS writes at the head of each file. */
export function header(at: number): string {
  const { date, time } = utc(at);
  return `#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n#Date: ${date} ${time}\r\n#Fields: ${FIELDS}\r\n`;
}

/** One row with its line end. `date` and `time` are those of the request's end, as in IIS. */
export function rowText(site: string, row: Row): string {
  const { date, time } = utc(row.at);
  const marker = `X-ARR-LOG-ID=${row.arrLogId}`;
  const asked = field(row.query);
  const query = asked === '-' ? marker : `${asked}&${marker}`;
  const words = [
    date, time, field(site.toUpperCase()), field(row.method), field(row.stem), query, row.port, '-', field(row.client),
    field(row.userAgent), field(row.cookie), field(row.referer), field(row.host),
    row.status, row.substatus, row.win32, row.sentBytes, row.receivedBytes, row.takenMs,
  ];
  return `${words.join(' ')}\r\n`;
}

/**
 * One field: spaces and controls become `+`, what is not ASCII `?`, nothing becomes `-`.
 * The URL is kept as it came (percent-encoded): IIS decodes the stem, which is how CR and LF would get into a row.
 */
export function field(text: string | undefined): string {
  if (text === undefined || text === '') return '-';
  const cut = text.length > FIELD_CHARS ? `${text.slice(0, FIELD_CHARS - 3)}...` : text;
  // eslint-disable-next-line no-control-regex -- controls are exactly what must not reach a row
  return cut.replace(/[\u0000-\u0020\u007f]/g, '+').replace(/[^\u0021-\u007e]/g, '?');
}

/** The name of a raw log begun at `at`: first six of the instance id, then UTC digits down to the ms, so names sort by time. */
export function rowFileName(instance: string, at: number): string {
  return `${instance.slice(0, 6)}-${new Date(at).toISOString().replace(/\D/g, '')}.log`;
}

function utc(at: number): { date: string; time: string } {
  const text = new Date(at).toISOString();
  return { date: text.slice(0, 10), time: text.slice(11, 19) };
}
