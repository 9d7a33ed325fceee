import { Button } from '../../parts/button.tsx';
import type { PartProps } from '../../parts/part-props.ts';
import { params, setParams } from '../../state/route.ts';
import { Compare } from './compare.tsx';
import { RevisionRow } from './revision-row.tsx';
import { pairOf } from './revision-rows.ts';
import { useRevisions } from './use-revisions.ts';

/** What the program was, is and is asked to be: any two compared, and the way back to each. */
export function RevisionsPart({ p }: PartProps) {
  const { list, why, again } = useRevisions(p);
  if (list === undefined)
    return (
      <p class="bare" role="status">
        {why === '' ? 'Its revisions are being read.' : `Its revisions can not be shown: ${why} `}
        {why !== '' && (
          <Button kind="small" onClick={again}>
            Try again
          </Button>
        )}
      </p>
    );
  if (list.length === 0)
    return <p class="bare">It has none yet: the first is made when the host first takes up its manifest.</p>;
  const pair = pairOf(list, p.wanted_revision, params.value.get('compare'));
  const compare = (side: 'from' | 'to', revision: number) => {
    const next = { ...(pair ?? { from: revision, to: revision }), [side]: revision };
    setParams({ compare: `${next.from}..${next.to}` });
  };
  const one = (revision: number | undefined) => list.find((item) => item.revision === revision);
  return (
    <>
      <div class="part-top">
        <p>
          The last ten are kept.{' '}
          <span class="note">
            Going back edits the manifest and gets a new number; sources come back too.
          </span>
        </p>
        {why !== '' && (
          <p class="result bad" role="status">
            As last known: {why}
          </p>
        )}
      </div>
      <div class="rev-part">
        <ol class="revs" aria-label="Revisions, the newest first">
          <li class="rev rev-head" aria-hidden="true">
            <span class="picks">
              <span>from</span>
              <span>to</span>
            </span>
          </li>
          {list.map((revision, at) => (
            <RevisionRow
              key={revision.revision}
              {...{ p, revision, pair }}
              before={list[at + 1]}
              onPick={compare}
            />
          ))}
        </ol>
        <Compare p={p} from={one(pair?.from)} to={one(pair?.to)} />
      </div>
    </>
  );
}
