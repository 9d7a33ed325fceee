import type { RevisionView } from '../../../program-answers.ts';
import type { ProgramBody } from '../../../routes/view.ts';
import { ACTS, ActButton, askRollBack } from '../../parts/acts.tsx';
import { Button } from '../../parts/button.tsx';
import { Glyph } from '../../parts/glyph.tsx';
import { Mono } from '../../parts/small.tsx';
import { Time } from '../../parts/time.tsx';
import { engineAway, host } from '../../state/host.ts';
import { now } from '../../state/now.ts';
import { isUp } from '../../words/kind.ts';
import { msOf, withClocks } from '../../words/span.ts';
import { changesOf, outcomeWords, type Pair } from './revision-rows.ts';

interface Props {
  p: ProgramBody;
  revision: RevisionView;
  /** The one before it that is kept. */
  before: RevisionView | undefined;
  pair: Pair | undefined;
  onPick: (side: 'from' | 'to', revision: number) => void;
}

export function RevisionRow({ p, revision, before, pair, onPick }: Props) {
  const { revision: n, current, message, log, commit, author, created_at } = revision;
  const { shape, role, word } = outcomeWords(revision, p.state);
  const changes = changesOf(revision, before);
  return (
    <li class={current ? 'rev current' : 'rev'}>
      <span class="picks">
        {(['from', 'to'] as const).map((side) => (
          <label key={side} class="pick" title={side}>
            <input
              type="radio"
              name={`compare-${side}`}
              checked={pair?.[side] === n}
              aria-label={`Compare ${side} r${n}`}
              onChange={() => onPick(side, n)}
            />
          </label>
        ))}
      </span>
      <span class="rev-n">r{n}</span>
      <span class={`state ${role}`}>
        <Glyph state={shape} role={role} />
        <span>{word}</span>
      </span>
      <span class="rev-what">
        {changes === '' ? (
          <span class="note">{n === 1 ? 'the first' : 'the first that is kept'}</span>
        ) : (
          changes
        )}
        {message !== '' && <span class="rev-why">{withClocks(message, now.peek())}</span>}
      </span>
      <span class="rev-who">
        {commit !== '' && (
          <>
            <Mono title={commit}>{commit.slice(0, 7)}</Mono>{' '}
          </>
        )}
        {author}{' '}
        <span class="since">
          <Time at={msOf(created_at)} />
        </span>
        {log !== '' && (
          <details class="rev-log">
            <summary>Its last lines</summary>
            <pre tabIndex={0} aria-label={`The last lines of r${n}`}>
              {log}
            </pre>
          </details>
        )}
      </span>
      <span class="rev-acts">
        <RevisionAct p={p} revision={revision} />
      </span>
    </li>
  );
}

function RevisionAct({ p, revision }: { p: ProgramBody; revision: RevisionView }) {
  const n = revision.revision;
  if (n !== p.wanted_revision) {
    const why = cannotRollBack();
    return (
      <Button
        kind="small"
        label={`Roll back to r${n}`}
        disabled={why !== ''}
        title={why === '' ? undefined : why}
        onClick={() => askRollBack(p, n)}
      >
        Roll back…
      </Button>
    );
  }
  if (revision.outcome !== 'Failed') return <span class="note">wanted now</span>;
  // Where nothing runs there is nothing to restart, and start is what tries it again.
  return <TryAgain p={p} n={n} />;
}

function TryAgain({ p, n }: { p: ProgramBody; n: number }) {
  const name = isUp(p) ? 'tryAgain' : 'startNow';
  return <ActButton name={name} p={p} kind="small" label={`${ACTS[name].label}: r${n}`} />;
}

/** A roll back is an edit of the manifest. */
function cannotRollBack(): string {
  if (host.value?.git?.remote) return 'this host follows git: revert the commit there';
  return engineAway() === '' ? '' : 'the engine is away';
}
