import { useEffect, useRef, useState } from 'preact/hooks';
import type { ProgramBody } from '../../../routes/view.ts';
import { useHistory } from '../../parts/use-history.ts';
import { announce } from '../../state/announce.ts';
import { isLoaded, programOf } from '../../state/programs.ts';
import { href, params, setParams } from '../../state/route.ts';
import { isNews, reasonOf } from '../../words/kind.ts';
import { wordsOf } from '../../words/reasons.ts';
import { troubleSince } from '../../words/since.ts';
import { Timeline } from '../timeline/timeline.tsx';
import { betweenTries } from './between-tries.ts';
import { Facts } from './facts.tsx';
import { Head } from './head.tsx';
import { Parts } from './parts.tsx';
import { isOfTime, stretchOf, tabOf } from './tabs.ts';
import { News, Trouble } from './trouble.tsx';

/** One program: first what is wrong and what to do, then when, then everything else. */
export function ProgramScreen({ name }: { name: string }) {
  const found = programOf(name);
  if (found !== undefined) return <Known p={found.value} />;
  return isLoaded.value ? <NoSuch name={name} /> : <p class="bare">Asking the host for {name}…</p>;
}

function NoSuch({ name }: { name: string }) {
  useEffect(() => {
    document.title = `No such program · ${name}`;
  }, [name]);
  return (
    <section class="empty">
      <h1>No such program</h1>
      <p class="lead">
        There is no program “{name}”. If it was deleted, its /state is kept for 7 days, unless the host was
        told otherwise: a program of the same name and user takes it back until then.
      </p>
      <p>
        <a href={href('')}>All programs</a>
      </p>
    </section>
  );
}

function Known({ p: told }: { p: ProgramBody }) {
  const history = useHistory(told.program_id);
  const p = betweenTries(told);
  const [moment, setMoment] = useState<number>();
  const words = wordsOf(p);
  const isTrouble = words !== undefined && !isNews(reasonOf(p));
  const sinceMs = troubleSince(p);
  useTitle(p, isTrouble);
  useAnnounced(p, isTrouble);
  const showLog = (tab: string | undefined, more: Record<string, string> = {}) => setParams({ ...more, tab });
  return (
    <>
      <Head p={p} />
      {words && isTrouble && <Trouble p={p} words={words} history={history} sinceMs={sinceMs} />}
      {words && !isTrouble && <News p={p} words={words} />}
      <Facts p={p} history={history} />
      <Timeline
        p={p}
        history={history}
        sinceMs={sinceMs}
        stretch={stretchOf(params.value)}
        onStretch={({ from, to }) => {
          const tab = tabOf(params.value.get('tab'));
          const stays = isOfTime(tab) ? (params.value.get('tab') ?? undefined) : undefined;
          showLog(stays, { from: String(Math.round(from)), to: String(Math.round(to)) });
        }}
        onMoment={(at) => {
          setMoment(at);
          showLog(undefined);
        }}
      />
      <Parts p={p} history={history} at={moment} />
    </>
  );
}

function useTitle(p: ProgramBody, isTrouble: boolean): void {
  const title = isTrouble ? wordsOf(p)?.title : undefined;
  const text = `${p.state}${title === undefined ? '' : `, ${title.toLowerCase()}`} · ${p.program_id}`;
  useEffect(() => {
    document.title = text;
  }, [text]);
}

/** Into trouble and out of it is said; all else is seen. */
function useAnnounced(p: ProgramBody, isTrouble: boolean): void {
  const says = isTrouble ? (wordsOf(p)?.says(p) ?? '') : `${p.state}, nothing is wrong any more`;
  const before = useRef(isTrouble);
  useEffect(() => {
    if (before.current === isTrouble) return;
    before.current = isTrouble;
    announce(`${p.program_id}: ${says}`);
  }, [isTrouble]);
}
