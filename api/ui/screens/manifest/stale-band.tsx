import { useState } from 'preact/hooks';
import { Button } from '../../parts/button.tsx';
import { countRows, diffRows } from '../../parts/diff-rows.ts';
import { DiffView } from '../../parts/diff-view.tsx';
import { Sign } from '../../parts/glyph.tsx';
import { Time } from '../../parts/time.tsx';
import { plural } from '../../words/span.ts';
import type { Edit, Stored } from './edit.ts';
import type { ManifestStore } from './manifest-store.ts';
import type { ChangedBy } from './use-manifest.ts';

interface Props {
  edit: Edit;
  theirs: Stored;
  store: ManifestStore;
  changedBy: ChangedBy | undefined;
}

/** Somebody else changed it meanwhile: what was typed stays, theirs is shown, and nothing is chosen by itself. */
export function StaleBand({ edit, theirs, store, changedBy }: Props) {
  const [areShown, show] = useState(false);
  const [isClash, setClash] = useState(false);
  const { added, gone } = countRows(diffRows(edit.base.text, theirs.text));
  return (
    <section class="band warn" aria-label="It changed since you opened it">
      <Sign role="warn" />
      <div class="band-text">
        <p role="status">
          <b>It changed since you opened it</b>
          {changedBy && (
            <>
              : {changedBy.author !== '' && `${changedBy.author}, `}
              <Time at={changedBy.at} />
            </>
          )}
          , {plural(added, 'line')} new, {gone} gone. Your text is kept, and was not applied.
        </p>
        {isClash && (
          <p role="status">
            <b>Both changed the same lines</b>, so that only you know what is meant. Keep yours and mend it by
            hand: the review shows what of theirs would go.
          </p>
        )}
        <div class="trouble-acts">
          <Button expanded={areShown} onClick={() => show(!areShown)}>
            Show both
          </Button>
          {isClash ? (
            <Button kind="primary" onClick={store.keepMine}>
              Go on with mine
            </Button>
          ) : (
            <Button kind="primary" onClick={() => setClash(!store.mergeOnTheirs())}>
              Put my change on theirs
            </Button>
          )}
          <Button onClick={store.takeTheirs}>Take theirs</Button>
        </div>
        {areShown && (
          <div class="both">
            <div>
              <h3>What they changed</h3>
              <DiffView before={edit.base.text} after={theirs.text} label="What they changed" />
            </div>
            <div>
              <h3>What you changed</h3>
              <DiffView before={edit.base.text} after={edit.text} label="What you changed" />
            </div>
          </div>
        )}
      </div>
    </section>
  );
}
