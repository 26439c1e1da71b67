// Owns the frame: head, notices, the page of the address, dialogs, keys, and the tab's title and icon.
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Health } from '../../shared/model.ts';
import { TITLES, type PageName, type View } from '../address.ts';
import { agent, health, signedIn, watchAgent } from '../agent.ts';
import { useCell } from '../cell.ts';
import { listenToKeys, onCommand } from '../keys.ts';
import { link } from '../live/index.ts';
import { Diagnose } from '../parts/diagnose.tsx';
import { Failure, Skeleton } from '../parts/states.tsx';
import { problemOf } from '../agent.ts';
import { go, rangeOf, useView, viewOf, BASE } from '../router.tsx';
import { HEALTH_WORDS } from '../words.ts';
import { AgentDialog } from './agent-dialog.tsx';
import { Help } from './help.tsx';
import { NoticeBar } from './notice-bar.tsx';
import { Search, type Hit } from './search.tsx';
import { SignIn } from './sign-in.tsx';
import { Pages, TopBar, type FrameDialog } from './top-bar.tsx';

export interface PageProps { view: View; open: (dialog: FrameDialog) => void }
type Page = ComponentType<PageProps>;

/** Each page is its own file, read when first opened. */
const LOAD: Readonly<Record<PageName, () => Promise<Page>>> = {
  now: async () => (await import('../pages/now/now-page.tsx')).NowPage,
  observe: async () => (await import('../pages/observe/observe-page.tsx')).ObservePage,
  logs: async () => (await import('../pages/logs/logs-page.tsx')).LogsPage,
  analyze: async () => (await import('../pages/analyze/analyze-page.tsx')).AnalyzePage,
  mitigate: async () => (await import('../pages/mitigate/mitigate-page.tsx')).MitigatePage,
  console: async () => (await import('../pages/console/console-page.tsx')).ConsolePage,
};

export function App() {
  const view = useView();
  const [dialog, setDialog] = useState<FrameDialog>();
  const info = useCell(agent);
  const now = useCell(health);
  const isIn = useCell(signedIn);
  useEffect(() => (isIn === false ? undefined : watchAgent()), [isIn === false]);
  useEffect(listenToKeys, []);
  useEffect(() => onCommand((command) => {
    if (typeof command === 'object') { go(viewOf(command.go)); return true; }
    if (command === 'search' || command === 'help' || command === 'diagnose') { setDialog(command); return true; }
    return false;
  }), []);
  useTab(view, now, info?.app.site);
  if (isIn === false) return <SignIn onDone={() => link().retry()} />;
  const close = (): void => setDialog(undefined);
  const commands: Hit[] = [{ group: 'Command', title: 'Diagnose now', to: () => setDialog('diagnose') }, { group: 'Command', title: 'About the agent', to: () => setDialog('agent') }, { group: 'Command', title: 'Keyboard help', to: () => setDialog('help') }];
  return <>
    <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>Skip to the content</button>
    <TopBar view={view} info={info} health={now} onOpen={setDialog} />
    <NoticeBar live={view.page === 'now' || (view.page === 'observe' && rangeOf(view).kind === 'last')} />
    <PageOf view={view} open={setDialog} />
    <Pages view={view} class="tabs" label="Pages, at the bottom" />
    {dialog === 'help' ? <Help onClose={close} /> : undefined}
    {dialog === 'search' ? <Search onClose={close} commands={commands} /> : undefined}
    {dialog === 'agent' ? <AgentDialog info={info} onClose={close} /> : undefined}
    {dialog === 'diagnose' ? <Diagnose onClose={close} /> : undefined}
  </>;
}

function PageOf({ view, open }: PageProps) {
  const [loaded, setLoaded] = useState<{ name: PageName; page: Page }>();
  const [failed, setFailed] = useState<unknown>();
  useEffect(() => {
    let wanted = true;
    setFailed(undefined);
    LOAD[view.page]().then((page) => { if (wanted) setLoaded({ name: view.page, page }); }, (error: unknown) => { if (wanted) setFailed(error); });
    return () => { wanted = false; };
  }, [view.page]);
  if (failed !== undefined) return <main id="main" tabIndex={-1}><h1 class="sr">{TITLES[view.page]}</h1><section class="wide"><Failure problem={problemOf(failed)} again={() => location.reload()} /></section></main>;
  if (!loaded || loaded.name !== view.page) return <main id="main" tabIndex={-1}><h1 class="sr">{TITLES[view.page]}</h1><section class="wide"><Skeleton rows={3} /></section></main>;
  return <loaded.page view={view} open={open} />;
}

function useTab(view: View, now: Health | undefined, site: string | undefined): void {
  const word = now?.word ?? 'unknown';
  useEffect(() => {
    document.title = [now ? HEALTH_WORDS[word] : undefined, TITLES[view.page], site].filter(Boolean).join(' · ');
    document.querySelector('link[rel=icon]')?.setAttribute('href', `${BASE}icon-${word}.svg`);
  }, [view.page, word, site, now === undefined]);
}
