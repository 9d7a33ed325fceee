import type { RevisionView } from '../../../program-answers.ts';
import type { ProgramBody } from '../../../routes/view.ts';
import { DiffView } from '../../parts/diff-view.tsx';
import { Mono } from '../../parts/small.tsx';
import { programHref } from '../../state/route.ts';
import { middle } from '../../words/span.ts';
import { madeOf } from './revision-rows.ts';
import { SourceChanges } from './source-changes.tsx';
import { specText } from './spec-text.ts';

interface Props {
  p: ProgramBody;
  from: RevisionView | undefined;
  to: RevisionView | undefined;
}

/** Two revisions: their specs with every default, and what they were made of. */
export function Compare({ p, from, to }: Props) {
  if (from === undefined || to === undefined || from.revision === to.revision)
    return (
      <div class="rev-diff">
        <div class="part-top">
          <h3>Choose two to compare</h3>
        </div>
      </div>
    );
  const [before, after] = [specText(from.spec), specText(to.spec)];
  const made = madeOf(from, to);
  return (
    <div class="rev-diff">
      <div class="part-top">
        <h3>
          From r{from.revision} to r{to.revision}
        </h3>
        <span class="note">spec with every default</span>
        <span class="grow" />
        {to.revision === p.wanted_revision && (
          <a class="button quiet" href={programHref(p.program_id, { tab: 'manifest' })}>
            Open in the editor
          </a>
        )}
      </div>
      {before === after ? (
        <p class="bare">Both have the same spec.</p>
      ) : (
        <DiffView
          {...{ before, after }}
          context={2}
          label={`From r${from.revision} to r${to.revision}, line by line`}
        />
      )}
      <SourceChanges key={`${from.build_id} ${to.build_id}`} {...{ from, to }} name={p.program_id} />
      {made.length > 0 && (
        <ul class="src-changes" aria-label="What they were made of">
          {made.map((row) => (
            <li key={row.what}>
              <span class="note">{row.what}</span>
              <span>
                <Mono title={row.from}>{middle(row.from, 26)}</Mono> →{' '}
                <Mono title={row.to}>{middle(row.to, 26)}</Mono>
              </span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
