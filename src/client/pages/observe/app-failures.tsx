// Owns what went wrong inside the app: exceptions, rejections and warnings, each kind once, with its frames behind it.
import { useState } from 'preact/hooks';
import type { AppInside } from '../../../shared/app-view.ts';
import { count, duration } from '../../../shared/units.ts';
import { agentNow } from '../../agent.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Empty } from '../../parts/states.tsx';
import { Ago, Time } from '../../parts/text.tsx';
import { VirtualTable } from '../../parts/virtual-table.tsx';
import { FAILURES, type Failure } from './app-columns.tsx';
import { KIND_WORDS } from './app-words.ts';

const keyOf = (f: Failure): string => `${f.kind} ${f.type} ${f.message} ${f.frames[0] ?? ''}`;

/** `ended`: what is shown is a process that ended; `others`: so many ended ones are not in what is shown. */
export function FailuresPanel({ inside, ended, others }: { inside: AppInside; ended: boolean; others: number }) {
  const [open, setOpen] = useState<string>();
  const shown = inside.failures.find((f) => keyOf(f) === open);
  const { catching } = inside;
  return (
    <section class="wide"><h2>Exceptions, rejections, warnings <small>since the start of the process{catching === undefined ? '' : ` · those that the app handles too, for ${duration(Math.max(0, catching.until - agentNow()))} more`}</small></h2>
      {inside.failures.length === 0 ? <None ended={ended} others={others} />
        : <VirtualTable id="app-failures" label="Exceptions, rejections and warnings" columns={FAILURES} rows={inside.failures} keyOf={keyOf} onOpen={(f) => setOpen(keyOf(f))} small />}
      {shown === undefined ? undefined : <FailureDialog failure={shown} onClose={() => setOpen(undefined)} />}
    </section>
  );
}

/** An exception that ended a process is told as its end, and not here. */
function None({ ended, others }: { ended: boolean; others: number }) {
  if (ended) return <Empty title="None before the end.">What ended the process stands above.</Empty>;
  if (others > 0) return <Empty title="None in the processes that live.">What ended the {others === 1 ? 'other one' : 'others'} stands in the list above.</Empty>;
  return <Empty title="None.">Nothing was thrown that nobody caught, and Node warned of nothing.</Empty>;
}

function FailureDialog({ failure, onClose }: { failure: Failure; onClose: () => void }) {
  const { kind, type, message, route, sources, frames } = failure;
  return (
    <Dialog title={type} onClose={onClose} wide>
      <dl class="facts">
        <div><dt>Kind</dt><dd>{KIND_WORDS[kind]}</dd></div>
        <div><dt>Message</dt><dd>{message === '' ? 'none' : message}</dd></div>
        <div><dt>Times</dt><dd>{count(failure.count)}, first <Time at={failure.firstAt} form="day" />, last <Time at={failure.lastAt} form="day" /> (<Ago at={failure.lastAt} />)</dd></div>
        {route === undefined ? undefined : <div><dt>In</dt><dd>{route}</dd></div>}
      </dl>
      {sources === undefined ? undefined : <Frames title="Frames, by their source maps" frames={sources} />}
      <Frames title={sources === undefined ? 'Frames' : 'Frames, as they run'} frames={frames} />
    </Dialog>
  );
}

function Frames({ title, frames }: { title: string; frames: readonly string[] }) {
  return <><h3>{title}</h3>{frames.length === 0 ? <p class="note">None was told.</p> : <ol class="app-frames">{frames.map((frame, i) => <li key={i}><code>{frame}</code></li>)}</ol>}</>;
}
