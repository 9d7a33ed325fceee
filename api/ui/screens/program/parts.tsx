import { useEffect, useRef } from 'preact/hooks';
import type { ProgramBody } from '../../../routes/view.ts';
import { Button } from '../../parts/button.tsx';
import { Sign } from '../../parts/glyph.tsx';
import { Unseen } from '../../parts/small.tsx';
import type { History } from '../../state/history.ts';
import { useKeys } from '../../state/keys.ts';
import { params, programHref, setParams } from '../../state/route.ts';
import { kindOf } from '../../words/kind.ts';
import { clock, count, exactSpan } from '../../words/span.ts';
import { EventsPart } from '../events/events.tsx';
import { Lazy, type Load } from './lazy.tsx';
import { faultyTab, isOfTime, stretchOf, TABS, type Tab, tabOf } from './tabs.ts';

const LOADS: Record<Tab, Load> = {
  logs: async () => (await import('../logs/logs.tsx')).LogsPart,
  build: async () => (await import('../build/build.tsx')).BuildPart,
  events: async () => EventsPart,
  manifest: async () => (await import('../manifest/manifest.tsx')).ManifestPart,
  revisions: async () => (await import('../revisions/revisions.tsx')).RevisionsPart,
  source: async () => (await import('../sources/sources.tsx')).SourcesPart,
  watcher: async () => (await import('../watcher/watcher.tsx')).WatcherPart,
};

interface Props {
  p: ProgramBody;
  history: History;
  /** A moment that the log is to be shown at. */
  at: number | undefined;
}

/** The parts of a program's page: tabs, and the one that is looked at. */
export function Parts({ p, history, at }: Props) {
  const tab = tabOf(params.value.get('tab'));
  const stretch = isOfTime(tab) ? stretchOf(params.value) : undefined;
  const label = TABS.find(([key]) => key === tab)?.[1] ?? '';
  const top = useRef<HTMLElement>(null);
  const seen = useRef(`${tab} ${at}`);
  useKeys(
    'Parts of a program',
    TABS.map(([key, label], index) => ({
      keys: String(index + 1),
      label,
      run: () => setParams({ tab: key === 'logs' ? undefined : key }),
    })),
  );
  // Whoever asked for a part by a link of the page is to see it.
  useEffect(() => {
    const now = `${tab} ${at}`;
    if (seen.current === now) return;
    seen.current = now;
    const { current } = top;
    if (current !== null && current.getBoundingClientRect().top > innerHeight * 0.7)
      current.scrollIntoView({ block: 'start' });
  });
  return (
    <>
      <nav class="tabs" aria-label="Parts of the program" ref={top}>
        {TABS.map(([key, name]) => (
          <a key={key} href={tabHref(p.program_id, key)} aria-current={key === tab ? 'page' : undefined}>
            {name}
            <TabMore p={p} tab={key} history={history} />
          </a>
        ))}
      </nav>
      <section class="panel" id="panel" tabIndex={-1} aria-label={label}>
        {stretch && (
          <p class="stretch">
            Only{' '}
            <b>
              {clock(stretch.from)} – {clock(stretch.to)}
            </b>
            , {exactSpan(stretch.to - stretch.from)}{' '}
            <Button kind="text" onClick={() => setParams({ from: undefined, to: undefined })}>
              All times
            </Button>
          </p>
        )}
        <Lazy key={tab} load={LOADS[tab]} p={p} stretch={stretch} at={tab === 'logs' ? at : undefined} />
      </section>
    </>
  );
}

/** How many there are, and whether the fault is there. */
function TabMore({ p, tab, history }: { p: ProgramBody; tab: Tab; history: History }) {
  const isCounted = tab === 'events' || tab === 'revisions';
  const n = isCounted ? history[tab]?.length : undefined;
  const isFaulty = faultyTab(p) === tab;
  return (
    <>
      {isCounted && <span class="n">{n === undefined ? '' : count(n)}</span>}
      {isFaulty && (
        <>
          <Sign role={kindOf(p) === 'down' ? 'bad' : 'warn'} />
          <Unseen> (has a problem)</Unseen>
        </>
      )}
    </>
  );
}

/** Range and stretch stay. */
function tabHref(name: string, tab: Tab): string {
  const { range, from, to } = Object.fromEntries(params.value) as Record<string, string | undefined>;
  return programHref(name, { tab: tab === 'logs' ? undefined : tab, range, from, to });
}
