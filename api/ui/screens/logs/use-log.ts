import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { PartProps } from '../../parts/part-props.ts';
import { createBeat, createWaits, pauseUntilSeen, watchStream } from '../../state/again.ts';
import { announce } from '../../state/announce.ts';
import { client } from '../../state/client.ts';
import { keep, recall } from '../../state/kept.ts';
import { useKeys } from '../../state/keys.ts';
import { go, hash } from '../../state/route.ts';
import { LogPane } from './log-pane.ts';
import type { TimeMode } from './log-rows.ts';
import { EMPTY, LINES_MAX, LogSession, type LogState, type Place } from './log-session.ts';

/** Older lines are asked for when the first one that is held is nearer than this, in pixels. */
const NEAR_PX = 600;
/** Lines that come are put on the page together, this often at most, in milliseconds. */
const BEAT_MS = 100;

/** A log that is shown: its lines, how it stands, what can be done with it. */
export type Log = ReturnType<typeof useLog>;

/** How a log is shown, as this browser remembers it. */
function useLooks(pane: { current: LogPane | null }, box: { current: HTMLDivElement | null }) {
  const looks = useSignal({
    wraps: recall('wrap') !== 'off',
    times: (recall('times') || 'clock') as TimeMode,
    stream: 'all',
    isOnlyHits: false,
  });
  const { wraps, times, stream, isOnlyHits } = looks.value;
  useLayoutEffect(() => {
    keep('wrap', wraps ? 'on' : 'off');
    keep('times', times);
    pane.current?.setTimes(times);
    pane.current?.keep(() => {
      box.current?.classList.toggle('wraps', wraps);
      box.current?.classList.toggle('only', isOnlyHits);
      Object.assign(box.current?.dataset ?? {}, { times, stream });
    });
  }, [wraps, times, stream, isOnlyHits]);
  return looks;
}

function useSession(
  { p, stretch, at }: PartProps,
  pane: { current: LogPane | null },
  box: { current: HTMLDivElement | null },
) {
  const place = useRef<HTMLDivElement>(null);
  const state = useSignal<LogState>(EMPTY);
  const turn = useSignal(0);
  const session = useRef<LogSession | undefined>(undefined);
  useLayoutEffect(() => {
    if (box.current === null || place.current === null) return;
    const shown = new LogPane(box.current, place.current, LINES_MAX, () => {
      turn.value++;
      if (shown.isFollowing()) own.seen();
    });
    pane.current = shown;
    const waits = createWaits();
    const own = new LogSession({
      ...{ client, name: p.program_id, shown, soon: createBeat(BEAT_MS) },
      onState: (next) => {
        state.value = next;
      },
      wait: (signal) => pauseUntilSeen(waits.next(), signal),
      watch: (abort) => {
        const silence = watchStream(abort);
        const heard = () => {
          silence.heard();
          waits.heard();
        };
        return { ...silence, heard };
      },
    });
    session.current = own;
    const sizes = new ResizeObserver(() => shown.settle());
    sizes.observe(box.current);
    return () => {
      sizes.disconnect();
      own.close();
      shown.clear();
    };
  }, [p.program_id]);
  useEffect(() => {
    void session.current?.open(placeOf({ p, stretch, at }));
  }, [p.program_id, stretch?.from, stretch?.to, at]);
  // A run that begins, or may: what had ended goes on.
  useEffect(() => session.current?.again(), [p.state, p.started_at, p.container_id]);
  turn.value;
  return { place, state, session };
}

export function useLog(props: PartProps, box: { current: HTMLDivElement | null }) {
  const pane = useRef<LogPane | null>(null);
  const { place, state, session } = useSession(props, pane, box);
  const looks = useLooks(pane, box);
  const input = useRef<HTMLInputElement>(null);
  const linked = hash.value.startsWith('L') ? hash.value.slice(1) : '';
  useEffect(() => {
    if (linked === '' || state.peek().phase !== 'open' || pane.current?.mark(linked) !== false) return;
    void session.current?.open({ at: 'line', id: linked });
  }, [linked]);
  // What stands above the lines may have become higher: they stay where the eye is.
  const top = useRef(0);
  useLayoutEffect(() => {
    const now = place.current?.offsetTop ?? 0;
    pane.current?.shift(now - top.current);
    top.current = now;
    pane.current?.settle();
  });

  const toEnd = () => {
    if (location.hash !== '') go(`${location.pathname}${location.search}`, { replace: true });
    if (state.peek().hasEnd) pane.current?.toEnd();
    else void session.current?.open({ at: 'end' });
  };
  const linkTo = (id: string | undefined) => {
    if (id === undefined) return;
    pane.current?.mark(id);
    go(`${location.pathname}${location.search}#L${id}`, { replace: true });
    void navigator.clipboard?.writeText(location.href).catch(() => undefined);
    announce('A link to the line is copied');
  };
  const older = () => void session.current?.older();
  const onScroll = () => {
    const { hasOlder, olderNote } = state.peek();
    const isNear = (box.current?.scrollTop ?? 0) < NEAR_PX && pane.current?.isFollowing() === false;
    if (isNear && hasOlder && olderNote === '') older();
  };
  const onClick = ({ target }: MouseEvent) => {
    if (target instanceof Element && target.classList.contains('at'))
      linkTo(pane.current?.lineAt(target)?.id);
  };
  const follow = () => (pane.current?.isFollowing() ? pane.current.stand() : toEnd());
  const turnWrap = () => {
    looks.value = { ...looks.peek(), wraps: !looks.peek().wraps };
  };
  useKeys('Log', [
    { keys: 'f', label: 'Follow, or stand still', run: follow },
    { keys: 'w', label: 'Wrap long lines', run: turnWrap },
    { keys: '/', label: 'Find', run: () => input.current?.focus() },
    { keys: 'n', label: 'Next hit', run: () => pane.current?.hop(1) },
    { keys: 'N', label: 'Hit before', run: () => pane.current?.hop(-1) },
    { keys: 'y', label: 'Copy a link to the marked line', run: () => linkTo(pane.current?.lineHere()?.id) },
    { keys: 'G', label: 'To its end', run: toEnd },
  ]);
  const reopen = () => void session.current?.open(placeOf(props));
  const line = (text: string) => {
    toEnd();
    pane.current?.append([{ gap: text }], state.peek().runs);
  };
  const acts = { toEnd, older, follow, turnWrap, reopen, line, onScroll, onClick };
  return { ...acts, pane, place, state: state.value, looks, input };
}

function placeOf({ stretch, at }: PartProps): Place {
  if (stretch !== undefined) return { at: 'stretch', ...stretch };
  if (at !== undefined) return { at: 'time', ms: at };
  const linked = hash.peek();
  return linked.startsWith('L') ? { at: 'line', id: linked.slice(1) } : { at: 'end' };
}
