// Owns the peer's side of the HTTP log bench: the same group-bys and quantiles in DuckDB with two threads, in a process of its own. Arguments: FILE, fold or paths.
import { DuckDBInstance } from '@duckdb/node-api';
import { APP_SERVICE_FIELDS } from '../../src/observe/http-log/fields.ts';

/** Folding as a user of SQL would write it: numbers, GUIDs and hashes between slashes. */
const FOLDED = 'regexp_replace("cs-uri-stem", \'/(\\d+|[0-9a-fA-F]{12,}|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27})(?=/|$)\', \'/{id}\', \'g\')';
const FOLDED_RE2 = FOLDED.replace('(?=/|$)', '\\b');

const TAKEN = 'approx_quantile(taken, [0.5, 0.95, 0.99]) q, max(taken) longest';
const COUNTS = 'count(*) n, count(*) filter (status >= 500) failures';
const REPORT: readonly string[] = [
  `select method, route, ${COUNTS}, count(*) filter (status between 400 and 499) refused, sum(sent) sent, ${TAKEN} from t group by all`,
  `select status, sub, win32, ${COUNTS}, min(ended) first_at, max(ended) last_at, ${TAKEN} from t group by all`,
  `select date_trunc('minute', ended) as slot, ${COUNTS}, ${TAKEN} from t group by all`,
  `select client, ${COUNTS} from t group by all`,
  `select agent, ${COUNTS}, ${TAKEN} from t group by all`,
  `select host, ${COUNTS}, ${TAKEN} from t group by all`,
  `select method, ${COUNTS}, ${TAKEN} from t group by all`,
  `select regexp_extract(referrer, '^[a-z]+://([^/]+)', 1) host, ${COUNTS} from t group by all`,
  `select ${COUNTS}, ${TAKEN} from t`,
  'select * from t order by taken desc limit 20',
  'select * from t where status >= 500 order by ended desc limit 500',
  'select date_trunc(\'minute\', ended) as slot, method, route, status, sub, win32, count(*) n from t where status >= 500 group by all',
];

async function main(): Promise<void> {
  const [, , file = '', how = 'paths'] = process.argv;
  const columns = APP_SERVICE_FIELDS.split(' ').slice(1).map((name) => `'${name}': '${/^(sc-|cs-bytes|time-taken)/.test(name) ? 'BIGINT' : 'VARCHAR'}'`).join(', ');
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '2' })).connect();
  await connection.run(`create temp table t as select (date || ' ' || time)::timestamp ended, "cs-method" as method, ${how === 'fold' ? FOLDED_RE2 : '"cs-uri-stem"'} as route, "c-ip" client, "cs(User-Agent)" agent, "cs(Referer)" referrer,
    "cs-host" host, "sc-status" status, "sc-substatus" sub, "sc-win32-status" win32, "sc-bytes" sent, "time-taken" taken
    from read_csv('${file.replaceAll('\'', '\'\'')}', delim=' ', header=false, comment='#', quote='', escape='', nullstr='-', ignore_errors=true, columns={${columns}}) where "s-sitename" not like '~1%'`);
  let rows = 0;
  for (const query of REPORT) rows += (await connection.runAndReadAll(query)).currentRowCount;
  process.stdout.write(`${rows}\n`);
}

void main();
