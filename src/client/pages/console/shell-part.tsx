// Owns the Shell part of the Console: its tabs, opening, renaming and ending, and which shell the address shows.
import xtermCss from '@xterm/xterm/css/xterm.css';
import { useEffect, useState } from 'preact/hooks';
import type { Problem } from '../../../shared/api.ts';
import type { ShellList, ShellView } from '../../../shared/shells.ts';
import { ask, diag, problemOf } from '../../agent.ts';
import { Menu } from '../../parts/menu.tsx';
import { Empty, Failure, Skeleton } from '../../parts/states.tsx';
import { change } from '../../router.tsx';
import { keep, readKept } from '../../theme.ts';
import { useAsk, type Asked } from '../../use-ask.ts';
import type { PartProps } from './console-page.tsx';
import { EndDialog, RenameDialog } from './shell/dialogs.tsx';
import shellCss from './shell/shell.css';
import { adopt } from './shell/sheet.ts';
import { TerminalPane } from './shell/terminal-pane.tsx';

const LOOK_EVERY_MS = 5_000;
const READER = 'diag-shell-reader';

adopt(`${xtermCss}\n${shellCss}`);

export function ShellPart({ query }: PartProps) {
  const asked = useAsk((signal) => diag.shells({ signal }), [], LOOK_EVERY_MS);
  const { value, problem } = asked;
  if (value === undefined) return <section class="wide">{problem === undefined ? <Skeleton rows={8} /> : <Failure problem={problem} again={asked.again} />}</section>;
  if (!value.offer.yes) return <section class="wide"><Empty title="Shells are not possible here">{value.offer.because}.</Empty></section>;
  return <Shells list={value} asked={asked} wanted={query['shell']} />;
}

/** The newest that runs: what somebody who comes back looks for. */
function shownOf(shells: readonly ShellView[], wanted: string | undefined): ShellView | undefined {
  const latest = [...shells].sort((a, b) => b.usedAt - a.usedAt);
  return shells.find(({ id }) => id === wanted) ?? latest.find(({ ended }) => ended === undefined) ?? latest[0];
}

function Shells({ list, asked, wanted }: { list: ShellList; asked: Asked<ShellList>; wanted: string | undefined }) {
  const [told, setTold] = useState<ShellView>();
  const [notice, setNotice] = useState<string>();
  const [problem, setProblem] = useState<Problem>();
  const [dialog, setDialog] = useState<'rename' | 'end'>();
  const [reader, setReader] = useState(readKept(READER) === 'on');
  const [opened, setOpened] = useState<ShellView>();
  const listed = list.shells.map((one) => (one.id === told?.id && told.ended !== undefined ? told : one));
  // One that was just opened is not in the list that was read before.
  const isListed = listed.some(({ id }) => id === opened?.id);
  const shells = opened === undefined || isListed ? listed : [...listed, opened];
  useEffect(() => { if (isListed) setOpened(undefined); }, [isListed]);
  const shown = shownOf(shells, wanted);
  useEffect(() => { if (shown !== undefined && shown.id !== wanted) change({ shell: shown.id }, true); }, [shown?.id, wanted]);
  const run = (what: () => Promise<unknown>): void => {
    setProblem(undefined);
    ask(what).then(() => asked.again(), (error: unknown) => { setProblem(problemOf(error)); asked.again(); });
  };
  const open = (shell: string): void => run(async () => {
    const { shell: made, ended } = await diag.openShell({ body: { shell: shell as ShellView['shell'] } });
    setOpened(made);
    setNotice(ended === undefined ? undefined : `${ended.title}: ${ended.ended?.because ?? 'it was ended.'}`);
    change({ shell: made.id });
  });
  const end = ({ id }: ShellView): void => run(async () => { await diag.endShell({ params: { shell: id } }); change({ shell: undefined }, true); });
  return (
    <section class="wide shells" aria-label="Shell">
      <Tabs shells={shells} shown={shown} list={list} open={open} tools={shown === undefined ? undefined : <>
        <button type="button" class={reader ? 'quiet pressed' : 'quiet'} aria-pressed={reader} onClick={() => { keep(READER, reader ? 'off' : 'on'); setReader(!reader); }}>Screen reader</button>
        <button type="button" class="quiet" onClick={() => setDialog('rename')}>Rename</button>
        <button type="button" class="quiet" onClick={() => { if (shown.busy === true) setDialog('end'); else end(shown); }}>{shown.ended === undefined ? 'End' : 'Close'}</button>
      </>} />
      {notice === undefined ? undefined : <p class="shell-say calm" role="status"><span>{notice}</span><button type="button" class="quiet" onClick={() => setNotice(undefined)}>Dismiss</button></p>}
      {problem === undefined ? undefined : <Failure problem={problem} />}
      {shown === undefined ? <Start list={list} open={open} /> : <TerminalPane key={shown.id} shell={shown} screenReader={reader} onTold={(shell) => { setTold(shell); if (shell.ended !== undefined) asked.again(); }} onLeave={focusTab} onGone={() => { change({ shell: undefined }, true); asked.again(); }} />}
      {dialog === 'rename' && shown !== undefined ? <RenameDialog shell={shown} onClose={() => { setDialog(undefined); asked.again(); }} /> : undefined}
      {dialog === 'end' && shown !== undefined ? <EndDialog shell={shown} onClose={() => setDialog(undefined)} onEnd={() => end(shown)} /> : undefined}
    </section>
  );
}

function focusTab(): void {
  document.querySelector<HTMLElement>('.shell-tabs [aria-selected=true]')?.focus();
}

interface TabsProps { shells: readonly ShellView[]; shown: ShellView | undefined; list: ShellList; open: (shell: string) => void; tools: preact.ComponentChildren }

function Tabs({ shells, shown, list, open, tools }: TabsProps) {
  const move = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const at = shells.findIndex(({ id }) => id === shown?.id);
    const next = shells[(at + step + shells.length) % shells.length];
    if (step === 0 || next === undefined) return;
    event.preventDefault();
    change({ shell: next.id });
  };
  if (shells.length === 0) return null;
  return (
    <div class="shell-tabs">
      <div role="tablist" aria-label="Shells" onKeyDown={move}>
        {shells.map((one) => <button key={one.id} type="button" role="tab" aria-selected={one.id === shown?.id} tabIndex={one.id === shown?.id ? 0 : -1} onClick={() => change({ shell: one.id })}>{one.title}<small>{one.ended !== undefined ? 'ended' : one.busy === true ? 'busy' : ''}</small></button>)}
      </div>
      <NewShell list={list} open={open} />
      <div class="shell-tools">{tools}</div>
    </div>
  );
}

function NewShell({ list, open }: { list: ShellList; open: (shell: string) => void }) {
  const [only] = list.kinds;
  if (list.kinds.length === 1 && only !== undefined) return <button type="button" class="quiet" onClick={() => open(only.id)}>New {only.title}</button>;
  return <Menu label="New shell" button="New shell" choices={list.kinds.map(({ id, title }) => ({ word: id, title }))} chosen={undefined} onChoose={open} />;
}

function Start({ list, open }: { list: ShellList; open: (shell: string) => void }) {
  return (
    <Empty title="No shell is open">
      A shell runs on this machine with the rights of the agent, begins in the home, and has the variables of the app. It lives on while the page is away; at most {list.limit} at once, and one that is not used is ended. Who opens one is written into the audit.
      <span class="shell-start">{list.kinds.map(({ id, title }) => <button key={id} type="button" class="go" onClick={() => open(id)}>Open {title}</button>)}</span>
    </Empty>
  );
}
