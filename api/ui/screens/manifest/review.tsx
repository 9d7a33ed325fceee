import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from '../../../client.ts';
import type { DryRun } from '../../../program-answers.ts';
import { Button } from '../../parts/button.tsx';
import { countRows, diffRows } from '../../parts/diff-rows.ts';
import { DiffView } from '../../parts/diff-view.tsx';
import { Sign } from '../../parts/glyph.tsx';
import { Mono } from '../../parts/small.tsx';
import { say, wordsOfError } from '../../state/acts.ts';
import { announce } from '../../state/announce.ts';
import { host } from '../../state/host.ts';
import { plural } from '../../words/span.ts';
import { costOf, fieldValue, nothingDone } from './costs.ts';
import type { Edit } from './edit.ts';
import type { Applied, ManifestStore } from './manifest-store.ts';

interface Props {
  name: string;
  edit: Edit;
  store: ManifestStore;
  /** Back to the editor. */
  onLeave: () => void;
}

type Asked = { state: 'asking' } | { state: 'there'; run: DryRun } | { state: 'failed'; why: string };

/** What a change is, does and costs, before it is applied. */
export function Review({ name, edit, store, onLeave }: Props) {
  const [asked, setAsked] = useState<Asked>({ state: 'asking' });
  const [refused, setRefused] = useState('');
  const [isApplying, setApplying] = useState(false);
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    title.current?.focus();
    store.dryRun().then(
      (run) => setAsked({ state: 'there', run }),
      (error: unknown) => setAsked({ state: 'failed', why: whyNot(error) }),
    );
  }, []);
  const apply = async () => {
    setApplying(true);
    const came = await store.apply();
    setApplying(false);
    if (came.kind === 'done') {
      say(name, 'The manifest is replaced');
      onLeave();
    } else setRefused(refusalWords(came));
    if (came.kind === 'stale') onLeave();
  };
  const { added, gone } = countRows(diffRows(edit.base.text, edit.text));
  const cannot = cannotApply(edit, asked, isApplying);
  return (
    <>
      <div class="part-top">
        <h3 ref={title} tabIndex={-1}>
          {plural(added, 'line')} new, {gone} gone <span class="note">in</span>{' '}
          <Mono>programs/{name}.yaml</Mono>
        </h3>
        <span class="grow" />
        <Button onClick={onLeave}>Back to the editor</Button>
        <Button
          kind="primary"
          disabled={cannot !== ''}
          title={cannot === '' ? undefined : cannot}
          onClick={() => void apply()}
        >
          Apply
        </Button>
      </div>
      <p class="result bad" role="status">
        {refused !== '' && (
          <>
            <Sign role="bad" />
            <span>{refused}</span>
          </>
        )}
      </p>
      <div class="manifest">
        <DiffView before={edit.base.text} after={edit.text} label={`The change of programs/${name}.yaml`} />
        <Outlook asked={asked} />
      </div>
    </>
  );
}

/** Why it can not be applied now; `""` where it can. */
function cannotApply(edit: Edit, { state }: Asked, isApplying: boolean): string {
  if (isApplying) return 'it is being applied';
  if (edit.theirs !== undefined) return 'it changed since you opened it: first choose between the two';
  if (state === 'asking') return 'the host is asked what it would do';
  return state === 'failed' ? 'the host does not take it, see beside the change' : '';
}

function whyNot(error: unknown): string {
  const details = error instanceof ApiError ? error.details.map(({ message }) => message) : [];
  const words = details.length > 0 ? details.join('; ') : wordsOfError(error);
  announce(words);
  return words;
}

function refusalWords(came: Exclude<Applied, { kind: 'done' }>): string {
  switch (came.kind) {
    case 'stale':
      return 'Somebody changed it meanwhile, so nothing was applied. Your text is kept.';
    case 'gone':
      return 'The registry has no such manifest any more, so nothing was applied. Your text is kept.';
    case 'unsure':
      return 'The host went away, so that it is not known whether this was applied. Your text is kept; as soon as the host answers, this page looks and says.';
    default:
      return `It was not applied: ${came.text}`;
  }
}

function Outlook({ asked }: { asked: Asked }) {
  if (asked.state === 'asking')
    return (
      <div class="manifest-side">
        <p class="note" role="status">
          The host is asked what it would do.
        </p>
      </div>
    );
  if (asked.state === 'failed')
    return (
      <div class="manifest-side" role="status">
        <h3>The host does not take it</h3>
        <p>{asked.why}</p>
      </div>
    );
  const { run } = asked;
  return (
    <div class="manifest-side">
      <h3>What will be done</h3>
      {run.actions.length === 0 ? (
        <p>{nothingDone(run)}</p>
      ) : (
        <ol class="will">
          {run.actions.map((action) => (
            <li key={action}>{action}</li>
          ))}
        </ol>
      )}
      <h3>What it costs</h3>
      <p class="note">{costOf(run.actions)}</p>
      {run.diff.length > 0 && (
        <>
          <h3>Fields</h3>
          <ul class="fields-changed">
            {run.diff.map(({ path, from, to }) => (
              <li key={path}>
                <Mono>{path}</Mono>: {fieldValue(from)} → {fieldValue(to)}
              </li>
            ))}
          </ul>
        </>
      )}
      {host.value?.git && (
        <>
          <h3>Under git</h3>
          <p class="note">It becomes one commit; git revert takes it back.</p>
        </>
      )}
    </div>
  );
}
