// Owns the landing page's last error lines: the first line and a little of what follows, each a link to its place in the log.
import type { LogLine, Now } from '../../../shared/model.ts';
import { Empty } from '../../parts/states.tsx';
import { utcTitle, timeMs } from '../../words.ts';
import { Link, viewOf } from '../../router.tsx';
import { logViewOf } from './failed.tsx';

const SHOWN = 10;
/** Lines of one entry that are shown here: the message and the top of its stack. */
const LINES = 3;

export function Errors({ now }: { now: Now }) {
  const rows = [...now.errors].sort((a, b) => (b.at ?? 0) - (a.at ?? 0)).slice(0, SHOWN);
  return (
    <section class="wide errors">
      <h2>Last errors <small>application logs and event log, newest first</small><Link to={viewOf('logs', { levels: 'fatal,error' })}>Open in Logs</Link></h2>
      {rows.length === 0 ? <Empty title="No error lines.">Nothing of level error or fatal was written to the application logs or the event log.</Empty>
        : <div class="log short">{rows.map((line) => <ErrorLine key={`${line.source}${line.cursor}`} line={line} />)}</div>}
    </section>
  );
}

function ErrorLine({ line }: { line: LogLine }) {
  const [first = '', ...more] = line.text.split('\n').filter((t) => t.trim() !== '');
  return <>
    <div class="entry">
      {line.at === undefined ? <span>–</span> : <time title={utcTitle(line.at)}>{timeMs(line.at)}</time>}
      <i class={line.level}>{line.level}</i><b><Link to={logViewOf(line)}>{first}</Link></b>
    </div>
    {more.slice(0, LINES - 1).map((text, i) => <div class="entry more" key={i}><span /><i /><b>{text}</b></div>)}
    {more.length > LINES - 1 ? <div class="entry more"><span /><i /><b>    … {more.length - LINES + 1} more lines</b></div> : undefined}
  </>;
}
