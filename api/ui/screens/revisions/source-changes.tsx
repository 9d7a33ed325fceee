import type { RevisionView } from '../../../program-answers.ts';
import { useAsked } from '../../parts/use-asked.ts';
import { client } from '../../state/client.ts';
import { plural } from '../../words/span.ts';
import { fileChanges, isOtherBuild } from './file-changes.ts';

interface Props {
  name: string;
  from: RevisionView;
  to: RevisionView;
}

/** More are counted. */
const SHOWN_MAX = 40;

/** Which files of their sources differ, where they were built of others. */
export function SourceChanges({ name, from, to }: Props) {
  if (!isOtherBuild(from, to)) return null;
  return <Changes {...{ name, from, to }} />;
}

function Changes({ name, from, to }: Props) {
  const ask = () => Promise.all([from, to].map(({ revision }) => client.revisionFiles(name, revision)));
  const { value, why } = useAsked(ask, `${name} ${from.build_id} ${to.build_id}`);
  if (value === undefined)
    return (
      <p class="bare">
        {why === undefined ? 'Their sources differ. Asking for how…' : `Their sources differ: ${why}`}
      </p>
    );
  const changes = fileChanges(value[0] ?? null, value[1] ?? null);
  if (changes === undefined)
    return (
      <p class="bare">Their sources differ. Which files is not known: those of one are not kept any more.</p>
    );
  if (changes.length === 0) return <p class="bare">Their files are the same; they were built otherwise.</p>;
  const more = changes.length - SHOWN_MAX;
  return (
    <>
      <p class="note">Of their sources {plural(changes.length, 'file differs', 'files differ')}:</p>
      <ul class="src-changes" aria-label="How their sources differ">
        {changes.slice(0, SHOWN_MAX).map(({ what, name: file }) => (
          <li key={file}>
            <span class="note">{what}</span>
            <span class="mono">{file}</span>
          </li>
        ))}
        {more > 0 && <li class="note">and {plural(more, 'more', 'more')}</li>}
      </ul>
    </>
  );
}
