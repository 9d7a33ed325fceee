import { useRef } from 'preact/hooks';
import { Button } from '../../parts/button.tsx';
import type { PartProps } from '../../parts/part-props.ts';
import { plural } from '../../words/span.ts';
import { LogBar } from './log-bar.tsx';
import { LogFoot, LogHead } from './log-edges.tsx';
import { useLog } from './use-log.ts';

/** What a program prints. Silent for screen readers; lines are put on the page by `LogPane`. */
export function LogsPart({ p, stretch, at }: PartProps) {
  const box = useRef<HTMLDivElement>(null);
  const log = useLog({ p, stretch, at }, box);
  const { pane, state } = log;
  const isFollowing = pane.current?.isFollowing() ?? true;
  const hasEndButton = stretch === undefined && ((!isFollowing && state.unseen > 0) || !state.hasEnd);
  return (
    <div class="log-box">
      <LogBar p={p} log={log} isFollowing={isFollowing} />
      {state.note !== '' && <p class="stretch">{state.note}</p>}
      <div
        {...{ ref: box, class: 'log', role: 'log', 'aria-live': 'off', tabIndex: 0 }}
        aria-label={`Output of ${p.program_id}`}
        onScroll={log.onScroll}
        onClick={log.onClick}
        onMouseOver={(event) => event.target instanceof Element && pane.current?.lineAt(event.target)}
      >
        <LogHead state={state} log={log} />
        <div ref={log.place} />
        <LogFoot p={p} state={state} log={log} isStretch={stretch !== undefined} />
      </div>
      {hasEndButton && (
        <Button kind="to-end" onClick={log.toEnd}>
          {state.unseen > 0 ? `${plural(state.unseen, 'new line')} ↓` : 'To the end ↓'}
        </Button>
      )}
    </div>
  );
}
