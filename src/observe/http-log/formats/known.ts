// Owns the well-known format strings of nginx and Apache that go beyond NCSA combined: from their documents and the packages that ship them.
import type { LogFormat } from '../columns.ts';
import { apache } from './apache.ts';
import { nginx } from './nginx.ts';

export interface Known { readonly format: LogFormat; /** 0 to 1: how much a line that fits proves. */ readonly weight: number }

const NGINX_COMBINED = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"';
/** In the order of nginx.org, of ingress-nginx's document (upstreaminfo), and of what its users add most. */
const nginxKnown = (): readonly Known[] => [
  { format: nginx(`${NGINX_COMBINED} "$http_x_forwarded_for"`), weight: 1 },
  { format: nginx(`${NGINX_COMBINED} "$http_x_forwarded_for" $request_time`), weight: 1 },
  { format: nginx(`${NGINX_COMBINED} "$http_x_forwarded_for" $request_time $upstream_response_time`), weight: 0.98 },
  { format: nginx(`${NGINX_COMBINED} "$http_x_forwarded_for" rt=$request_time uct="$upstream_connect_time" uht="$upstream_header_time" urt="$upstream_response_time"`), weight: 1 },
  { format: nginx(`${NGINX_COMBINED} rt=$request_time uct="$upstream_connect_time" uht="$upstream_header_time" urt="$upstream_response_time"`), weight: 1 },
  { format: nginx(`${NGINX_COMBINED} $request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] $upstream_addr $upstream_response_length $upstream_response_time $upstream_status $req_id`), weight: 1 },
  { format: nginx(`${NGINX_COMBINED} $request_time`), weight: 0.98 },
  { format: nginx(`${NGINX_COMBINED} $request_time $upstream_response_time`), weight: 0.96 },
  { format: nginx(`${NGINX_COMBINED} "$gzip_ratio"`), weight: 0.7 },
  // The first fields are known, what is behind them is not: counts are right, and naming the format brings the times.
  { format: { ...nginx(`${NGINX_COMBINED}$more`), title: 'NCSA combined, with more behind it that is not read' }, weight: 0.6 },
  { format: { ...nginx('$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent $more'), title: 'NCSA common, with more behind it that is not read' }, weight: 0.5 },
];

const APACHE_COMBINED = '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"';
/** From httpd.conf (combinedio), Debian's apache2.conf, and what its users add most. */
const apacheKnown = (): readonly Known[] => [
  { format: apache(`${APACHE_COMBINED} %I %O`), weight: 0.9 },
  { format: apache(`${APACHE_COMBINED} %D`), weight: 0.9 },
  { format: apache(`${APACHE_COMBINED} %D %I %O`), weight: 0.8 },
  { format: apache('%h %l %u %t "%r" %>s %b %D'), weight: 0.85 },
  { format: apache('%v %h %l %u %t "%r" %>s %b'), weight: 0.9 },
  { format: apache(`%v ${APACHE_COMBINED}`), weight: 0.98 },
  { format: apache(`%v:%p ${APACHE_COMBINED} %D`), weight: 0.95 },
  { format: { ...apache(`%v:%p ${APACHE_COMBINED} %{more}n`), title: 'NCSA combined behind the virtual host, with more behind it that is not read' }, weight: 0.55 },
  // Traefik's own common format: behind combined the number of the request, router, server and time.
  { format: { ...apache(`${APACHE_COMBINED} %k "%f" "%A" %{ms}Tms`), title: 'Traefik common' }, weight: 1 },
];

interface Knowns { readonly nginx: readonly Known[]; readonly apache: readonly Known[] }
let made: Knowns | undefined;

/** Made when a log is in none of the commoner formats: twenty patterns are a tenth of the start. */
export function knownFormats(): Knowns {
  made ??= { nginx: nginxKnown(), apache: apacheKnown() };
  return made;
}
