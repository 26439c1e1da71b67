// Owns the pane of one file: what it is, its content in the form that fits it, secrets hidden until they are asked for, and its editing.
import { useEffect, useState } from 'preact/hooks';
import type { FileWindow } from '../../../../shared/files.ts';
import { bytes, plural } from '../../../../shared/units.ts';
import { diag, fileAddress } from '../../../agent.ts';
import { Icon } from '../../../parts/icons.tsx';
import { Failure, Show } from '../../../parts/states.tsx';
import { keep, readKept } from '../../../theme.ts';
import { useAsk } from '../../../use-ask.ts';
import { dayTime } from '../../../words.ts';
import { EditView } from './edit.tsx';
import { csvRows, formOf, lastOf, pictureType } from './paths.ts';
import { TextView } from './text-view.tsx';

const FIRST_BYTES = 64 * 1024;
/** JSON and tables are shown whole or not in their form. */
const WHOLE_BYTES = 1024 * 1024;
const MAX_CSV_ROWS = 1_000;
const MAX_PICTURE_BYTES = 32 * 1024 * 1024;
const HEX_BYTES = 512;
const WRAPS = 'diag-files-wrap';

interface PreviewProps { readonly root: string; readonly path: string; readonly onClose: () => void; readonly onChanged: () => void }

export function Preview({ root, path, onClose, onChanged }: PreviewProps) {
  const name = lastOf(path);
  const form = formOf(name);
  const [reveal, setReveal] = useState(false);
  const [raw, setRaw] = useState(false);
  const [edits, setEdits] = useState(false);
  const [wraps, setWraps] = useState(readKept(WRAPS) !== 'off');
  const asked = useAsk((signal) => diag.fileWindow({ query: { root, path, length: form === 'text' ? FIRST_BYTES : WHOLE_BYTES, ...(reveal ? { reveal: true } : {}) }, signal }), [root, path, reveal]);
  const window = asked.value?.entry.name === name ? asked.value : undefined;
  const isWhole = window !== undefined && window.to >= window.sizeBytes;
  const isText = window?.text !== undefined;
  const saved = (): void => { setEdits(false); asked.again(); onChanged(); };
  return (
    <section class="preview" aria-label={`File ${name}`}>
      <header class="preview-head">
        <h2><bdi>{name}</bdi></h2>
        {window === undefined ? undefined : <small>{bytes(window.sizeBytes)}{window.entry.modifiedAt === undefined ? '' : `, changed ${dayTime(window.entry.modifiedAt)}`}{window.encoding === 'binary' ? '' : `, ${window.encoding}`}</small>}
        <span class="preview-tools">
          {isText && form !== 'text' && isWhole ? <button type="button" class={raw ? 'quiet pressed' : 'quiet'} aria-pressed={raw} onClick={() => setRaw(!raw)}>As text</button> : undefined}
          {isText ? <button type="button" class={wraps ? 'quiet pressed' : 'quiet'} aria-pressed={wraps} onClick={() => { keep(WRAPS, wraps ? 'off' : 'on'); setWraps(!wraps); }}>Wrap</button> : undefined}
          {isText && window.sizeBytes <= WHOLE_BYTES && !edits ? <button type="button" class="quiet" onClick={() => { setReveal(true); setEdits(true); }}>{window.masked > 0 ? 'Reveal and edit' : 'Edit'}</button> : undefined}
          <a class="quiet" href={fileAddress('fileContent', {}, { root, path })} download={name}><Icon name="download" />Download</a>
          <button type="button" class="plain" aria-label="Close the file" onClick={onClose}><Icon name="close" /></button>
        </span>
      </header>
      {window?.secret && window.masked > 0 ? <p class="preview-note">{window.text === undefined ? 'This file holds secrets and is too large to be masked.' : `${plural(window.masked, 'line')} with secrets ${window.masked === 1 ? 'is' : 'are'} masked.`} <button type="button" class="link" onClick={() => setReveal(true)}>Reveal (this is written into the audit)</button></p> : undefined}
      {window !== undefined && pictureType(name) !== undefined && window.sizeBytes <= MAX_PICTURE_BYTES ? <Picture root={root} path={path} /> : undefined}
      <Show asked={{ ...asked, value: window }} rows={8}>{(value) => (edits && !(value.secret && value.masked > 0) && isWholeOf(value)
        ? <EditView key={path} root={root} path={path} window={value} onSaved={saved} onClose={() => setEdits(false)} />
        : edits ? <EditLoads root={root} path={path} onSaved={saved} onClose={() => setEdits(false)} /> : <Content {...{ root, path, value, raw, wraps, form }} isWhole={isWhole} />)}</Show>
    </section>
  );
}

const isWholeOf = (window: FileWindow): boolean => window.from === 0 && window.to >= window.sizeBytes;

/** The preview had only the beginning: to edit, all of it is read. */
function EditLoads({ root, path, onSaved, onClose }: { root: string; path: string; onSaved: () => void; onClose: () => void }) {
  const asked = useAsk((signal) => diag.fileWindow({ query: { root, path, length: WHOLE_BYTES, reveal: true }, signal }), [root, path]);
  return <Show asked={asked} rows={8}>{(window) => <EditView root={root} path={path} window={window} onSaved={onSaved} onClose={onClose} />}</Show>;
}

interface ContentProps { root: string; path: string; value: FileWindow; raw: boolean; wraps: boolean; form: ReturnType<typeof formOf>; isWhole: boolean }
function Content({ root, path, value, raw, wraps, form, isWhole }: ContentProps) {
  if (value.text === undefined) return value.encoding === 'binary' ? <Hex root={root} path={path} sizeBytes={value.sizeBytes} /> : <></>;
  if (value.sizeBytes === 0) return <p class="preview-note">The file is empty.</p>;
  if (form === 'json' && isWhole && !raw) {
    const pretty = prettyOf(value.text);
    return pretty === undefined ? <><p class="preview-note">This is not valid JSON.</p><TextView root={root} path={path} first={value} wraps={wraps} /></> : <pre class={wraps ? 'file-text wraps' : 'file-text'} tabIndex={0} aria-label="Content">{pretty}</pre>;
  }
  if (form === 'csv' && isWhole && !raw) return <Csv text={value.text} separator={path.toLowerCase().endsWith('.tsv') ? '\t' : value.text.slice(0, 2_000).split(';').length > value.text.slice(0, 2_000).split(',').length ? ';' : ','} />;
  return <TextView root={root} path={path} first={value} wraps={wraps} />;
}

function prettyOf(text: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function Csv({ text, separator }: { text: string; separator: string }) {
  const [head = [], ...rows] = csvRows(text, separator, MAX_CSV_ROWS + 1);
  return (
    <div class="csv" tabIndex={0} role="region" aria-label="Table">
      <table><thead><tr>{head.map((cell, i) => <th key={i} scope="col">{cell}</th>)}</tr></thead><tbody>{rows.map((row, i) => <tr key={i}>{row.map((cell, j) => <td key={j}>{cell}</td>)}</tr>)}</tbody></table>
      {rows.length >= MAX_CSV_ROWS ? <p class="preview-note">The first {MAX_CSV_ROWS.toLocaleString()} rows; all of them are in the text.</p> : undefined}
    </div>
  );
}

/** Never by its address: what is fetched is given the type of a picture, whatever it holds. */
function Picture({ root, path }: { root: string; path: string }) {
  const [shown, setShown] = useState<{ url?: string; problem?: string }>({});
  useEffect(() => {
    let url: string | undefined;
    const end = new AbortController();
    fetch(fileAddress('fileContent', {}, { root, path }), { signal: end.signal, credentials: 'same-origin' }).then(async (answer) => {
      if (!answer.ok) throw new Error(`the agent answered ${answer.status}`);
      url = URL.createObjectURL(new Blob([await answer.arrayBuffer()], { type: pictureType(lastOf(path)) ?? 'image/png' }));
      setShown({ url });
    }).catch((error: unknown) => { if (!end.signal.aborted) setShown({ problem: String(error) }); });
    return () => { end.abort(); if (url !== undefined) URL.revokeObjectURL(url); };
  }, [root, path]);
  if (shown.problem !== undefined) return <p class="preview-note">The picture cannot be shown: {shown.problem}.</p>;
  return <div class="picture">{shown.url === undefined ? undefined : <img src={shown.url} alt={lastOf(path)} onError={() => setShown({ problem: 'it is damaged or of another kind' })} />}</div>;
}

/** The first bytes of what is no text. */
function Hex({ root, path, sizeBytes }: { root: string; path: string; sizeBytes: number }) {
  const asked = useAsk(async (signal) => {
    const answer = await fetch(fileAddress('fileContent', {}, { root, path }), { signal, credentials: 'same-origin', headers: { range: `bytes=0-${HEX_BYTES - 1}` } });
    return new Uint8Array(await answer.arrayBuffer()).slice(0, HEX_BYTES);
  }, [root, path]);
  if (asked.problem) return <Failure problem={asked.problem} again={asked.again} />;
  const rows = Array.from({ length: Math.ceil((asked.value?.length ?? 0) / 16) }, (_, i) => asked.value?.slice(i * 16, i * 16 + 16) ?? new Uint8Array());
  return <>
    <p class="preview-note">This is no text. Its first {Math.min(sizeBytes, HEX_BYTES)} of {sizeBytes.toLocaleString()} bytes:</p>
    <pre class="file-text" tabIndex={0} aria-label="Bytes">{rows.map((row, i) => `${(i * 16).toString(16).padStart(6, '0')}  ${[...row].map((byte) => byte.toString(16).padStart(2, '0')).join(' ').padEnd(48)} ${[...row].map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('')}\n`).join('')}</pre>
  </>;
}
