// Owns one process in detail: what it is, its newest values, its open files and its environment with secrets masked.
import { useState } from 'preact/hooks';
import type { Sample } from '../../../shared/model.ts';
import { metric, type MetricId } from '../../../shared/metrics.ts';
import { count } from '../../../shared/units.ts';
import { diag } from '../../agent.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Empty, Show } from '../../parts/states.tsx';
import { Ago, Time } from '../../parts/text.tsx';
import { Link, viewOf } from '../../router.tsx';
import { useAsk } from '../../use-ask.ts';
import { ROLE_WORDS, value } from '../../words.ts';

const SHOWN: readonly MetricId[] = ['process.cpu', 'process.working-set', 'process.private-bytes', 'process.threads', 'process.handles'];
/** More would only be scrolled past; the filter finds the rest. */
const MAX_ROWS = 500;

export function ProcessDetail({ pid, sample, onClose }: { pid: number; sample: Sample | undefined; onClose: () => void }) {
  const asked = useAsk((signal) => diag.process({ params: { pid }, signal }), [pid]);
  const [find, setFind] = useState('');
  const has = (text: string): boolean => text.toLowerCase().includes(find.toLowerCase());
  return (
    <Dialog title={`Process ${pid}`} onClose={onClose} wide foot={<Link to={viewOf('mitigate')} class="quiet">Restart a worker …</Link>}>
      <Show asked={asked} rows={6}>{({ info, sample: first, ...more }) => <>
        <dl class="facts">
          <div><dt>Name</dt><dd>{info.name}, {ROLE_WORDS[info.role]}{info.ours ? ', the agent\'s own' : ''}</dd></div>
          <div><dt>Started</dt><dd><Time at={info.startedAt} form="day" /> (<Ago at={info.startedAt} />){info.parent === undefined ? '' : `, by process ${info.parent}`}{info.user === undefined ? '' : `, as ${info.user}`}</dd></div>
          {info.path === undefined ? undefined : <div><dt>Program</dt><dd><code>{info.path}</code></dd></div>}
          {info.commandLine === undefined ? undefined : <div><dt>Command line</dt><dd><code>{info.commandLine}</code></dd></div>}
          {SHOWN.map((id) => <div key={id} class="fact-num"><dt>{metric(id).title}</dt><dd>{value(id, (sample ?? first)?.values[id])}</dd></div>)}
        </dl>
        <label class="inline grow find"><span>Find in files and environment</span><input type="text" value={find} onInput={(e) => setFind(e.currentTarget.value)} /></label>
        <Files files={more.openFiles} missing={more.openFilesMissing} has={has} />
        <Environment variables={more.environment} missing={more.environmentMissing} has={has} />
      </>}</Show>
    </Dialog>
  );
}

function Files({ files, missing, has }: { files: readonly string[] | undefined; missing: string | undefined; has: (text: string) => boolean }) {
  const found = files?.filter(has) ?? [];
  return <>
    <h3>Open files <small>{files === undefined ? '' : count(files.length)}</small></h3>
    {files === undefined ? <Empty title="Not possible here.">{missing}</Empty> : <ul class="files">{found.slice(0, MAX_ROWS).map((f, i) => <li key={i}><code>{f}</code></li>)}{found.length > MAX_ROWS ? <li class="note">{count(found.length - MAX_ROWS)} more; narrow the search.</li> : undefined}</ul>}
  </>;
}

interface Variable { readonly name: string; readonly value: string; readonly masked: boolean }
function Environment({ variables, missing, has }: { variables: readonly Variable[] | undefined; missing: string | undefined; has: (text: string) => boolean }) {
  const found = variables?.filter((v) => has(`${v.name}=${v.masked ? '' : v.value}`)) ?? [];
  const masked = variables?.filter((v) => v.masked).length ?? 0;
  return <>
    <h3>Environment <small>{variables === undefined ? '' : `${count(variables.length)} variables, ${count(masked)} masked`}</small></h3>
    {variables === undefined ? <Empty title="Not possible here.">{missing}</Empty> : <table class="rows env"><thead><tr><th>Name</th><th>Value</th></tr></thead><tbody>
      {found.slice(0, MAX_ROWS).map((v) => <tr key={v.name}><td><code>{v.name}</code></td><td>{v.masked ? <span class="masked" title="A secret by its name or form; its value never leaves the agent.">masked</span> : <code>{v.value}</code>}</td></tr>)}
    </tbody></table>}
  </>;
}
