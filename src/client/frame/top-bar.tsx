// Owns the slim bar on top: site, instance, health with its reason, pages, range, search, theme, help.
import type { AgentInfo } from '../../shared/api.ts';
import type { Health } from '../../shared/model.ts';
import { PAGES, TITLES, type PageName, type View } from '../address.ts';
import { useCell } from '../cell.ts';
import { link } from '../live/index.ts';
import { Icon } from '../parts/icons.tsx';
import { Menu } from '../parts/menu.tsx';
import { Link, rangeOf, viewOf } from '../router.tsx';
import { theme, THEMES, type Theme } from '../theme.ts';
import { HEALTH_WORDS } from '../words.ts';
import { RangeMenu } from './range-menu.tsx';

export type FrameDialog = 'search' | 'help' | 'agent' | 'diagnose';
interface TopBarProps { view: View; info: AgentInfo | undefined; health: Health | undefined; onOpen: (dialog: FrameDialog) => void }

const THEME_TITLES: Readonly<Record<Theme, string>> = { system: 'As the system', light: 'Light', dark: 'Dark' };
/** Pages whose content does not depend on the range. */
const WITHOUT_RANGE: ReadonlySet<PageName> = new Set(['analyze', 'mitigate', 'logs', 'console']);

export function TopBar({ view, info, health, onOpen }: TopBarProps) {
  const hello = useCell(link().hello);
  const app = info?.app ?? hello?.app;
  const chosenTheme = useCell(theme);
  const word = health?.word ?? 'unknown';
  return (
    <header class="top">
      <div class="site" title={app ? [app.hostName, app.os, app.runtime].filter(Boolean).join(', ') : undefined}><b>{app?.site ?? '…'}</b>{app ? <small>{[app.machine, app.instance, [app.os, app.plan].filter(Boolean).join(', ')].join(' · ')}</small> : undefined}</div>
      <Link to={viewOf('now')} class={`health ${word}`} title={health?.reason ?? 'The agent has not said yet how the site is.'} label={`${HEALTH_WORDS[word]}: ${health?.reason ?? 'not known yet'}`}><span class="dot" />{HEALTH_WORDS[word]}</Link>
      <Pages view={view} class="pages" label="Pages" />
      <div class="right">
        {WITHOUT_RANGE.has(view.page) ? undefined : <RangeMenu range={rangeOf(view)} />}
        <button type="button" class="quiet" onClick={() => onOpen('search')} aria-label="Search"><span class="opt">Search</span><Icon name="search" /><kbd class="opt">/</kbd></button>
        <button type="button" class="quiet opt agent-button" onClick={() => onOpen('agent')} title={agentState(info)}><span class={`dot ${agentMood(info)}`} />Agent</button>
        <Menu class="opt" label={`Theme: ${THEME_TITLES[chosenTheme]}`} button={<Icon name={chosenTheme} />} chosen={chosenTheme} onChoose={(t) => theme.set(t as Theme)} choices={THEMES.map((t) => ({ word: t, title: THEME_TITLES[t] }))} />
        <button type="button" class="quiet opt" aria-label="Keyboard help" onClick={() => onOpen('help')}>?</button>
      </div>
    </header>
  );
}

/** The pages as links; a second one sits at the bottom of a phone. */
export function Pages({ view, class: name, label }: { view: View; class: string; label: string }) {
  return <nav class={name} aria-label={label}>{PAGES.map((p) => <Link key={p} to={viewOf(p)} current={view.page === p}>{name === 'tabs' ? <Icon name={p} /> : undefined}{TITLES[p]}</Link>)}</nav>;
}

const failing = (info: AgentInfo | undefined): number => info?.samplers.filter((s) => s.state === 'failing').length ?? 0;
const lost = (info: AgentInfo): number => info.lost.reduce((sum, l) => sum + l.count, 0);

function agentMood(info: AgentInfo | undefined): string {
  if (!info) return 'unknown';
  return failing(info) > 0 || lost(info) > 0 ? 'slow' : 'healthy';
}

function agentState(info: AgentInfo | undefined): string {
  if (!info) return 'The agent has not answered yet.';
  const parts = [failing(info) > 0 ? `${failing(info)} of ${info.samplers.length} samplers fail` : 'all samplers work', lost(info) > 0 ? `${lost(info)} items lost in bounded buffers` : 'nothing lost'];
  return `Agent ${info.version}: ${parts.join(', ')}.`;
}
