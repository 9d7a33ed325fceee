import { Glyph } from './glyph.tsx';
import { type LadderState, ladderSteps, type Moments } from './ladder-steps.ts';

interface Props {
  moments: Moments;
  failed?: LadderState | undefined;
  /** Epoch milliseconds, while it goes on. */
  nowMs?: number | undefined;
}

const ROLES = { past: 'good', now: 'busy', failed: 'bad', ahead: 'rest' } as const;

/** Created → … → Ready, with the time that each took. */
export function Ladder({ moments, failed, nowMs }: Props) {
  return (
    <ol class="ladder" aria-label="From Created to Ready">
      {ladderSteps(moments, failed, nowMs).map(({ state, kind, took }) => (
        <li key={state} class={kind} aria-current={kind === 'now' ? 'step' : undefined}>
          <Glyph state={kind === 'failed' ? 'Error' : state} role={ROLES[kind]} />
          <span>{state}</span>
          <span class="took">{took}</span>
        </li>
      ))}
    </ol>
  );
}
