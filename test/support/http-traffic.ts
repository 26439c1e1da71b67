// Owns the requests that generated HTTP logs tell of: seeded, with thousands of routes, bursts of failures, SCM rows, secrets in queries and hostile texts.

/** A seeded generator of numbers in [0, 1): the same seed gives the same traffic. */
export function seeded(seed: number): () => number {
  let state = Math.imul(seed, 2_654_435_761) >>> 0;
  return () => {
    state = state + 0x6D2B79F5 | 0;
    let mixed = Math.imul(state ^ state >>> 15, 1 | state);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return ((mixed ^ mixed >>> 14) >>> 0) / 4_294_967_296;
  };
}

/** One request. The same object each time: read it before the next one is made. */
export interface Traffic {
  at: number;
  method: string;
  path: string;
  /** The path with what differs from request to request as {id}. */
  route: string;
  /** Without `?`; '' for none. */
  query: string;
  client: string;
  agent: string;
  cookie: string;
  referrer: string;
  user: string;
  host: string;
  site: string;
  /** The SCM site's own row, or one of the agent: left out of all figures. */
  leftOut: boolean;
  status: number;
  sub: number;
  win32: number;
  takenMs: number;
  sent: number;
  received: number;
  upstream: string;
}

export interface TrafficOptions {
  readonly seed: number;
  readonly from?: number;
  /** Mean time between two requests. */
  readonly stepMs?: number;
  readonly routes?: number;
  readonly clients?: number;
  /** One request in so many begins a burst of failures. */
  readonly burstEvery?: number;
  /** Texts beyond ASCII, quotes, backslashes. */
  readonly hostile?: boolean;
}

const WORDS = 'orders items users cart search report export login token profile image asset invoice stock price health catalog review admin batch'.split(' ');
const SECRETS = ['access_token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl', 'code=kT9x0000secretfunctionkey==', 'sig=aGVsbG8lM0Q%3D&se=2026-01-01', 'password=hunter2', 'api_key=sk_live_0123456789abcdef'];
const HOSTILE_AGENTS = ['Größe/1.0 (Ä)', 'say "hi" \\back\\ agent', '日本語ブラウザ/2', 'a\tb [x] <y> {z}', '-"-', "'; DROP TABLE--"];
const FROM = Date.UTC(2026, 2, 1);

interface Route { method: string; kind: number; head: string; tail: string; route: string; medianMs: number; sent: number }

/** Requests in the order of their ends. */
export class TrafficSource implements Traffic {
  at: number;
  method = ''; path = ''; route = ''; query = ''; client = ''; agent = ''; cookie = ''; referrer = ''; user = ''; host = ''; site = ''; upstream = '';
  leftOut = false;
  status = 0; sub = 0; win32 = 0; takenMs = 0; sent = 0; received = 0;
  readonly #next: () => number;
  readonly #routes: Route[] = [];
  readonly #rank: Float64Array;
  readonly #clients: { ip: string; cookie: string; agent: string }[] = [];
  readonly #options: Required<TrafficOptions>;
  #burst = 0;
  #burstKind = 0;

  constructor(options: TrafficOptions) {
    this.#options = { from: FROM, stepMs: 28, routes: 3_000, clients: 9_000, burstEvery: 60_000, hostile: true, ...options };
    this.#next = seeded(options.seed);
    this.at = this.#options.from;
    for (let i = 0; i < this.#options.routes; i += 1) this.#routes.push(this.#makeRoute(i));
    // Zipf: a few routes take most requests.
    this.#rank = new Float64Array(this.#options.routes);
    let total = 0;
    for (let i = 0; i < this.#rank.length; i += 1) this.#rank[i] = (total += 1 / (i + 1) ** 0.9);
    for (let i = 0; i < this.#options.clients; i += 1) this.#clients.push(this.#makeClient(i));
  }

  int(below: number): number { return Math.floor(this.#next() * below); }
  chance(share: number): boolean { return this.#next() < share; }
  pick<T>(of: readonly T[]): T { return of[this.int(of.length)] as T; }
  hex(chars: number): string {
    let text = '';
    while (text.length < chars) text += this.int(0x100_0000).toString(16).padStart(6, '0');
    return text.slice(0, chars);
  }
  guid(): string { return `${this.hex(8)}-${this.hex(4)}-${this.hex(4)}-${this.hex(4)}-${this.hex(12)}`; }

  next(): Traffic {
    this.at += Math.round(-Math.log(1 - this.#next()) * this.#options.stepMs);
    if (this.#burst > 0) this.#burst -= 1;
    else if (this.#next() < 1 / this.#options.burstEvery) { this.#burst = 300 + this.int(2_000); this.#burstKind = this.int(3); }
    const route = this.#routes[this.#zipf()] as Route;
    const client = this.#clients[Math.floor(this.#next() ** 2 * this.#clients.length)] as { ip: string; cookie: string; agent: string };
    this.#fill(route, client);
    this.#answer(route);
    return this;
  }

  #fill(route: Route, client: { ip: string; cookie: string; agent: string }): void {
    this.method = route.method;
    this.route = route.route;
    this.path = route.kind === 1 || route.kind === 3 ? route.head : `${route.head}${route.kind === 0 ? this.int(1_000_000) : route.kind === 2 ? this.guid() : this.#hexId()}${route.tail}`;
    this.client = client.ip;
    this.agent = this.#options.hostile && this.chance(0.004) ? this.pick(HOSTILE_AGENTS) : client.agent;
    this.cookie = this.chance(0.85) ? client.cookie : '';
    this.host = this.chance(0.97) ? 'shop.example.com' : 'shop-prod.azurewebsites.net';
    this.referrer = this.chance(0.45) ? '' : `https://${this.host}/${this.pick(WORDS)}`;
    this.user = this.chance(0.05) ? `user${this.int(3_000)}@example.com` : '';
    this.upstream = `10.0.0.${4 + this.int(3)}:8080`;
    this.query = route.kind === 1 ? '' : this.chance(0.5) ? `id=${this.int(100_000)}&page=${this.int(50)}` : '';
    if (this.chance(0.01)) this.query += `${this.query === '' ? '' : '&'}${this.pick(SECRETS)}`;
    this.site = 'SHOP-PROD';
    this.leftOut = this.chance(0.01);
    if (this.leftOut && this.chance(0.5)) this.agent = 'app-service-diag/0.1.0'; else if (this.leftOut) this.site = '~1SHOP-PROD';
  }

  #answer(route: Route): void {
    const roll = this.#next();
    const quick = route.kind === 1;
    this.status = 200; this.sub = 0; this.win32 = 0;
    this.takenMs = Math.round(route.medianMs * Math.exp(this.#gauss() * 0.7));
    this.sent = Math.round(route.sent * (0.8 + this.#next() * 0.4));
    this.received = 900 + this.int(900);
    if (this.#burst > 0 && roll < 0.6) this.#fail();
    else if (quick && roll < 0.06) { this.status = 304; this.sent = 180; }
    else if (roll < 0.03) { this.status = 404; this.sent = 1_245; this.win32 = 2; }
    else if (roll < 0.045) { this.status = 401; this.sub = 2; this.win32 = 5; }
    else if (roll < 0.053) this.status = 302;
    else if (roll < 0.0565) { this.status = 500; this.sub = this.chance(0.3) ? 1002 : 0; this.takenMs *= 5; }
    else if (roll < 0.0567) { this.status = 500; this.sub = 121; this.takenMs = 230_000 + this.int(500); }
  }

  #fail(): void {
    this.sent = 1_500 + this.int(300);
    if (this.#burstKind === 0) { this.status = 502; this.sub = 3; this.win32 = 12_002; this.takenMs = 120_000 + this.int(900); }
    else if (this.#burstKind === 1) { this.status = 503; this.sub = 2; this.win32 = 64; this.takenMs = this.int(40); }
    else { this.status = 502; this.sub = 3; this.win32 = 12_030; this.takenMs = 500 + this.int(20_000); }
  }

  #makeRoute(i: number): Route {
    const word = WORDS[i % WORDS.length] as string, other = WORDS[i * 7 % WORDS.length] as string;
    const name = `${word}${letters(i)}`;
    const kind = i % 10 < 4 ? 0 : i % 10 < 7 ? 1 : i % 10 < 8 ? 2 : i % 10 < 9 ? 3 : 4;
    const head = [`/api/v${1 + i % 3}/${name}/`, `/static/js/${name}.${this.hex(8)}.js`, `/tenants/${name}/`, `/${other}/${name}.aspx`, `/img/${name}/`][kind] as string;
    const tail = kind === 0 || kind === 2 ? `/${other}` : '';
    const method = kind === 1 || kind === 4 || i % 4 !== 0 ? 'GET' : (['POST', 'PUT', 'DELETE'] as const)[(i >> 2) % 3] as string;
    return { method, kind, head, tail, route: kind === 1 || kind === 3 ? head : `${head}{id}${tail}`, medianMs: kind === 1 || kind === 4 ? 2 + i % 6 : 15 + i * 37 % 400, sent: 200 + this.int(60_000) };
  }

  #makeClient(i: number): { ip: string; cookie: string; agent: string } {
    const ip = i % 20 === 7 ? `2001:db8:${(i & 0xFFFF).toString(16)}::${this.hex(3).replace(/^0+/, '') || '1'}` : `${1 + i % 220}.${i >> 8 & 255}.${i & 255}.${1 + this.int(254)}`;
    const agent = i % 3 === 0 ? `python-requests/2.${i % 30}.0` : i % 3 === 1 ? `Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${100 + i % 40}.0.0.0 Safari/537.36`
      : `Mozilla/5.0 (iPhone; CPU iPhone OS ${10 + i % 8}_${i % 5} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/${10 + i % 8}.0 Mobile/15E148 Safari/604.1`;
    return { ip, cookie: `ARRAffinity=${this.hex(64)};+ARRAffinitySameSite=${this.hex(64)}`, agent };
  }

  /** Fourteen hex digits of which at least one is a digit. */
  #hexId(): string { return `7${this.hex(13)}`; }
  #gauss(): number { return Math.sqrt(-2 * Math.log(1 - this.#next())) * Math.cos(2 * Math.PI * this.#next()); }
  #zipf(): number {
    const rank = this.#rank;
    const roll = this.#next() * (rank[rank.length - 1] as number);
    let low = 0, high = rank.length - 1;
    while (low < high) { const middle = low + high >> 1; if ((rank[middle] as number) < roll) low = middle + 1; else high = middle; }
    return low;
  }
}

/** 0 → a, 27 → bb …: a name that no folding takes for an id. */
function letters(n: number): string {
  let text = '';
  for (let rest = n + 1; rest > 0; rest = Math.floor((rest - 1) / 26)) text = String.fromCharCode(97 + (rest - 1) % 26) + text;
  return text;
}
