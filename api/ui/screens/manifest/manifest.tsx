import { useComputed, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Button } from '../../parts/button.tsx';
import { Editor } from '../../parts/editor/editor.tsx';
import type { EditorHandle } from '../../parts/editor/handle.ts';
import { ProblemList } from '../../parts/editor/problem-list.tsx';
import { Sign } from '../../parts/glyph.tsx';
import type { PartProps } from '../../parts/part-props.ts';
import { Mono } from '../../parts/small.tsx';
import { Time } from '../../parts/time.tsx';
import { host } from '../../state/host.ts';
import { useKeys } from '../../state/keys.ts';
import { type Edit, isChanged } from './edit.ts';
import { FieldCosts } from './field-costs.tsx';
import type { ManifestStore } from './manifest-store.ts';
import { RemoteBand } from './remote-band.tsx';
import { Review } from './review.tsx';
import { StaleBand } from './stale-band.tsx';
import { statusWords } from './status-words.ts';
import { type ChangedBy, useManifest } from './use-manifest.ts';

/** The manifest as text: edit, see what it would do, apply. */
export function ManifestPart({ p }: PartProps) {
  const { store, changedBy } = useManifest(p);
  const edit = store.edit.value;
  if (edit === undefined) {
    const why = store.failure.value;
    return why === '' ? <p class="bare">Its manifest is being read.</p> : <Failed why={why} store={store} />;
  }
  return <Opened name={p.program_id} edit={edit} store={store} changedBy={changedBy.value} />;
}

function Failed({ why, store }: { why: string; store: ManifestStore }) {
  return (
    <p class="bare" role="status">
      Its manifest can not be shown: {why}{' '}
      <Button kind="small" onClick={() => void store.look()}>
        Try again
      </Button>
    </p>
  );
}

interface OpenedProps {
  name: string;
  edit: Edit;
  store: ManifestStore;
  changedBy: ChangedBy | undefined;
}

function Opened({ name, edit, store, changedBy }: OpenedProps) {
  const isReviewing = useSignal(false);
  const handle = useSignal<EditorHandle | undefined>(undefined);
  const remote = useComputed(() => host.value?.git?.remote ?? undefined).value;
  const readOnly = remote !== undefined;
  const mayReview =
    !readOnly && isChanged(edit) && store.problems.value.length === 0 && edit.theirs === undefined;
  const review = () => {
    if (mayReview) isReviewing.value = true;
    return mayReview;
  };
  const leave = () => {
    isReviewing.value = false;
    // Only once it is seen again it can be measured, and take the focus.
    requestAnimationFrame(() => {
      handle.value?.measure();
      handle.value?.focus();
    });
  };
  // It turned out to be applied already: nothing is left to be reviewed.
  useEffect(() => {
    if (isReviewing.value && !isChanged(edit)) leave();
  }, [edit]);
  useKeys('Manifest', [{ keys: 'Ctrl+Enter', label: 'Review the change', run: review }]);
  const onKeyDown = (event: KeyboardEvent) => {
    const isSubmit = event.key === 'Enter' && (event.ctrlKey || event.metaKey);
    if (isSubmit && !event.defaultPrevented && !isReviewing.value && review()) event.preventDefault();
  };
  return (
    <div onKeyDown={onKeyDown}>
      {remote !== undefined && <RemoteBand remote={remote} name={name} edit={edit} />}
      {edit.theirs !== undefined && !readOnly && (
        <StaleBand edit={edit} theirs={edit.theirs} store={store} changedBy={changedBy} />
      )}
      {isReviewing.value && <Review name={name} edit={edit} store={store} onLeave={leave} />}
      <div hidden={isReviewing.value}>
        <Top {...{ name, edit, store, readOnly, mayReview, review }} />
        <Note store={store} />
        <div class="manifest">
          <div>
            <Editor
              text={edit.text}
              label={`Manifest of ${name}`}
              readOnly={readOnly}
              problems={store.problems.value}
              onChange={store.type}
              onSubmit={review}
              onReady={(made) => {
                handle.value = made;
              }}
            />
            <ProblemList
              problems={store.problems.value}
              text={edit.text}
              onGoTo={(line, column) => handle.value?.goTo(line, column)}
              {...(readOnly ? {} : { onRepair: ({ text }) => store.put(text) })}
            />
          </div>
          <FieldCosts />
        </div>
      </div>
    </div>
  );
}

interface TopProps {
  name: string;
  edit: Edit;
  store: ManifestStore;
  readOnly: boolean;
  mayReview: boolean;
  review: () => void;
}

function Top({ name, edit, store, readOnly, mayReview, review }: TopProps) {
  const problems = store.problems.value.length;
  const changed = isChanged(edit);
  const why = !changed
    ? 'nothing is changed'
    : problems > 0
      ? 'it has problems'
      : 'first choose between the two';
  return (
    <div class="part-top">
      <p>
        <Mono>programs/{name}.yaml</Mono>
      </p>
      <p class="edit-state" role="status">
        {problems > 0 && <Sign role="bad" />}
        <span>
          {statusWords({
            isReadOnly: readOnly,
            isChanged: changed,
            problems,
            checkFailure: store.checkFailure.value,
          })}
        </span>
      </p>
      {changed && edit.typedAt !== undefined && (
        <span class="note">
          Typed <Time at={edit.typedAt} />
        </span>
      )}
      <span class="grow" />
      {!readOnly && (
        <>
          <Button kind="quiet" disabled={!changed} onClick={store.undo}>
            Undo all
          </Button>
          <Button
            kind="primary"
            keys="Control+Enter"
            disabled={!mayReview}
            title={mayReview ? undefined : why}
            onClick={review}
          >
            Review the change
          </Button>
        </>
      )}
    </div>
  );
}

/** What the registry's side of it has to say. */
function Note({ store }: { store: ManifestStore }) {
  if (store.isGone.value)
    return (
      <p class="result bad" role="status">
        The registry has no such manifest any more. What stands here is kept in this tab alone.
      </p>
    );
  const words = store.note.value;
  return (
    <p class="result busy" role="status">
      {words}
    </p>
  );
}
