import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ProgramBody } from '../../../routes/view.ts';
import { Button } from '../../parts/button.tsx';
import type { History } from '../../state/history.ts';
import { unwatched } from '../../state/host.ts';
import { now } from '../../state/now.ts';
import { params, setParams } from '../../state/route.ts';
import { clock, plural } from '../../words/span.ts';
import { endOf, frameOf, RANGES, type Range, rangeOf, usualRange } from './frame.ts';
import { type Moment, momentNear, momentsOf, readingOf, sentenceOf } from './moments.ts';
import { pictureOf } from './picture.ts';
import { storyOf } from './story.ts';
import { TimelinePicture } from './timeline-picture.tsx';
import { useDrag } from './use-drag.ts';
import { useFigures } from './use-figures.ts';

export interface Stretch {
  from: number;
  to: number;
}

interface Props {
  p: ProgramBody;
  history: History;
  /** When the trouble began, epoch milliseconds; undefined where there is none. */
  sinceMs: number | undefined;
  stretch: Stretch | undefined;
  onStretch: (stretch: Stretch) => void;
  /** The log is to be shown from there. */
  onMoment: (at: number) => void;
}

/** What happened: all that is known of a program's past on one axis. Its twin as a table is Events. */
export function Timeline(props: Props) {
  const { p, history, sinceMs } = props;
  const isKnown = history.events !== undefined;
  // Chosen once, when it is known how it began: it is not changed under anybody's hands.
  const usual = useMemo(() => usualRange(sinceMs, Date.now()), [isKnown]);
  const range = rangeOf(params.value.get('range')) ?? usual;
  const canvas = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const { current } = canvas;
    if (current === null) return;
    const watch = new ResizeObserver(() => setWidth(current.clientWidth));
    watch.observe(current);
    return () => watch.disconnect();
  }, []);
  const [read, setRead] = useState<{ time: number; pieces: readonly string[]; near: string }>();
  const figures = useFigures(p, range.figures);
  const exits = history.events === undefined ? 0 : exitsIn(props, range);
  return (
    <section class="timeline" aria-labelledby="tl-title">
      <div class="tl-top">
        <h2 id="tl-title">What happened</h2>
        <p class="tl-read">
          {read === undefined ? (
            <>
              {exits > 0 && <span>{plural(exits, 'exit')} in this time.</span>}
              <span class="tl-hint">
                {history.failed.events ??
                  'Point at it to read, drag to choose a stretch for the logs and events below.'}
              </span>
            </>
          ) : (
            <>
              <b>{clock(read.time)}</b>
              {read.pieces.map((piece) => (
                <span key={piece}>{piece}</span>
              ))}
              {read.near !== '' && <b class="tl-near">{read.near}</b>}
            </>
          )}
        </p>
        <Ranges shown={range} usual={usual} />
      </div>
      <div class="tl-canvas" ref={canvas}>
        {width > 0 && <Canvas {...{ ...props, range, width, figures, onRead: setRead }} />}
      </div>
    </section>
  );
}

function Ranges({ shown, usual }: { shown: Range; usual: Range }) {
  return (
    <div class="tl-ranges" role="group" aria-label="How much time">
      {RANGES.map(({ key, label }) => (
        <Button
          key={key}
          kind="quiet"
          pressed={key === shown.key}
          onClick={() => setParams({ range: key === usual.key ? undefined : key })}
        >
          {label}
        </Button>
      ))}
    </div>
  );
}

function exitsIn({ p, history }: Props, range: Range): number {
  const nowMs = Date.now();
  const { events = [], revisions = [], runs = [] } = history;
  return storyOf({ p, events, revisions, runs }, nowMs).exits.filter(({ at }) => at > nowMs - range.ms)
    .length;
}

interface CanvasProps extends Props {
  range: Range;
  width: number;
  figures: ReturnType<typeof useFigures>;
  onRead: (read: { time: number; pieces: readonly string[]; near: string } | undefined) => void;
}

/** Moments nearer than this to the pointer are told of, in pixels. */
const NEAR_PX = 5;
const LABEL =
  'Timeline. Arrow keys go from moment to moment, with Shift they choose a stretch, Enter shows the log there. The same is a table under Events.';

function Canvas({ p, history, stretch, range, width, figures, onRead, onStretch, onMoment }: CanvasProps) {
  // It stands still while somebody reads in it.
  const held = useSignal<number | undefined>(undefined);
  const end = useComputed(() => held.value ?? endOf(now.value, range, width)).value;
  const frame = useMemo(() => frameOf(end - range.ms, end, width), [end, range, width]);
  const gaps = unwatched.value;
  const story = useMemo(() => {
    const { events = [], revisions = [], runs = [] } = history;
    return storyOf({ p, events, revisions, runs, unwatched: gaps }, Math.min(end, Date.now()));
  }, [p, history, end, gaps]);
  const spec = history.revisions?.find(({ revision }) => revision === p.revision)?.spec;
  const isProbed = (spec?.readiness as { none?: boolean } | undefined)?.none !== true;
  const picture = useMemo(
    () => pictureOf(story, figures, frame, isProbed),
    [story, figures, frame, isProbed],
  );
  const moments = useMemo(() => momentsOf(story, frame), [story, frame]);
  const [cursor, setCursor] = useState<{ time: number; index: number }>();
  const place = useRef<SVGSVGElement>(null);
  const pixelMs = range.ms / (frame.right - frame.left);

  const show = (time: number, moment: Moment | undefined, index: number) => {
    setCursor({ time, index });
    onRead({ time, pieces: readingOf(story, figures, time), near: moment?.text ?? '' });
  };
  const leave = () => {
    setCursor(undefined);
    onRead(undefined);
    held.value = undefined;
  };
  const hold = () => {
    held.value ??= end;
  };
  const drag = useDrag(place, frame, {
    onMove: (time) => show(time, momentNear(moments, time, NEAR_PX * pixelMs), -1),
    onDone: onStretch,
  });
  const index = cursor === undefined ? moments.length : cursor.index;
  const onKeyDown = (event: KeyboardEvent) => {
    const from = index === -1 ? moments.findLastIndex(({ at }) => at <= (cursor?.time ?? end)) : index;
    const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: moments.length - 1 }[event.key];
    if (event.key === 'Enter' && cursor !== undefined) onMoment(cursor.time);
    if (to === undefined || moments.length === 0) return;
    event.preventDefault();
    const next = Math.min(moments.length - 1, Math.max(0, to));
    const moment = moments[next];
    if (moment === undefined) return;
    if (event.shiftKey) onStretch(stretched(stretch, cursor?.time ?? end, moment.at));
    show(moment.at, moment, next);
  };
  const here = moments[index];
  return (
    <TimelinePicture
      {...{ place, picture, frame, cursor: cursor?.time, chosen: drag.chosen ?? stretch, onKeyDown }}
      tabIndex={0}
      role="slider"
      aria-label={LABEL}
      aria-valuemin={0}
      aria-valuemax={Math.max(1, moments.length)}
      aria-valuenow={index === -1 ? 0 : Math.min(index + 1, Math.max(1, moments.length))}
      aria-valuetext={here === undefined ? 'now' : sentenceOf(here, readingOf(story, figures, here.at))}
      onFocus={hold}
      onBlur={leave}
      onPointerEnter={hold}
      onPointerLeave={() => document.activeElement !== place.current && leave()}
      onDblClick={() => cursor !== undefined && onMoment(cursor.time)}
      {...drag.listeners}
    />
  );
}

/** The stretch with its end that stands at the cursor moved elsewhere. */
function stretched(stretch: Stretch | undefined, from: number, to: number): Stretch {
  const fixed = stretch === undefined ? from : stretch.from === from ? stretch.to : stretch.from;
  return { from: Math.min(fixed, to), to: Math.max(fixed, to) };
}
