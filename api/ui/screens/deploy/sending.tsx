import { useEffect, useRef, useState } from 'preact/hooks';
import { Button } from '../../parts/button.tsx';
import { Glyph, Sign } from '../../parts/glyph.tsx';
import { NotCome } from '../../parts/not-come.tsx';
import { Keys, Result } from '../../parts/small.tsx';
import type { Check } from './checks.ts';
import { apply, clearDraft, draft, editDraft, loadAgain, originals, reading } from './deploy-state.ts';
import { deployment, forget } from './deployment.ts';
import { differences, isBegun } from './draft.ts';
import { FileText } from './file-text.tsx';
import { Pick, Start } from './start.tsx';
import { nameProblem, userProblem } from './user.ts';

interface Props {
  /** The program whose sources are edited; `""` for a new one. */
  from: string;
  checks: readonly Check[];
  /** Why nothing can be sent now, or `""`. */
  why: string;
  note: string;
  onDeploy: () => void;
}

/** The left of the screen: what is sent. */
export function Sending(props: Props) {
  const { from } = props;
  if (!isBegun(draft.value))
    return (
      <section class="sending" aria-labelledby="what-title">
        <div class="part-top">
          <h2 id="what-title">What</h2>
        </div>
        <Reading from={from} />
        {!(from !== '' && reading.value?.role === 'busy') && <Start />}
      </section>
    );
  return (
    <section class="sending" aria-labelledby="what-title">
      <div class="part-top">
        <h2 id="what-title">What</h2>
        <span class="grow" />
        <Pick isFolder kind="quiet">
          Another folder
        </Pick>
        <Button kind="quiet" onClick={clearDraft}>
          {from === '' ? 'Clear' : 'As the host has it'}
        </Button>
      </div>
      <Reading from={from} />
      <Who from={from} />
      <Files onSubmit={() => props.why === '' && props.onDeploy()} />
      <Checks checks={props.checks} />
      <Go {...props} />
    </section>
  );
}

function Reading({ from }: { from: string }) {
  const now = reading.value;
  if (now === undefined) return null;
  if (now.role === 'missing') return <NotCome why={now.why} what="The example" onAgain={now.again} />;
  return (
    <Result role={now.role}>
      {now.text}{' '}
      {now.role === 'bad' && from !== '' && (
        <Button kind="small" onClick={loadAgain}>
          Read its sources again
        </Button>
      )}
    </Result>
  );
}

/** User and name. The user of a program that is there can not be changed. */
function Who({ from }: { from: string }) {
  const { userId, name, program } = draft.value;
  const unfit = program === '' ? nameProblem(name) : '';
  const problem = userId === '' ? '' : userProblem(userId);
  return (
    <div class="fields">
      <p class="field">
        <label for="user">User</label>
        <input
          id="user"
          value={userId}
          readOnly={program !== ''}
          required
          autocomplete="username"
          autocapitalize="off"
          spellcheck={false}
          aria-invalid={problem !== ''}
          aria-describedby="user-problem"
          onInput={({ currentTarget }) => editDraft({ userId: currentTarget.value.trim() })}
        />
        {problem !== '' && (
          <span id="user-problem" class="note is-bad">
            {problem}
          </span>
        )}
      </p>
      <p class="field">
        <label for="name">Name</label>
        <input
          id="name"
          value={program || name}
          readOnly={program !== ''}
          placeholder="the host gives one"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          aria-invalid={unfit !== ''}
          aria-describedby="name-problem"
          onInput={({ currentTarget }) => editDraft({ name: currentTarget.value.trim() })}
        />
        {unfit !== '' && (
          <span id="name-problem" class="note is-bad">
            {unfit}
          </span>
        )}
        {program !== '' && from === '' && (
          <span class="note">
            It goes to this program again.{' '}
            <Button kind="text" onClick={forget}>
              Make another one
            </Button>
          </span>
        )}
      </p>
    </div>
  );
}

const SIGNS = { new: 'new', changed: 'changed', gone: 'removed' } as const;

/** The files, and the text of the one that is open. */
function Files({ onSubmit }: { onSubmit: () => void }) {
  const { files, open } = draft.value;
  const [isNaming, setNaming] = useState(false);
  const changes = originals.value.size === 0 ? new Map() : differences(originals.value, files);
  const gone = [...changes].filter(([, what]) => what === 'gone').map(([name]) => name);
  return (
    <>
      <div class="file-tabs" role="group" aria-label="Files">
        {[...files.keys()].slice(0, SHOWN_MAX).map((name) => (
          <Button
            key={name}
            kind="quiet"
            pressed={name === open}
            title={changes.has(name) ? `${name}: ${SIGNS[changes.get(name) as 'new']}` : undefined}
            onClick={() => editDraft({ open: name })}
          >
            {name}
            {changes.has(name) && <span class="file-change">{SIGNS[changes.get(name) as 'new']}</span>}
          </Button>
        ))}
        {files.size > SHOWN_MAX && <span class="note">and {files.size - SHOWN_MAX} more</span>}
        <Button kind="quiet" expanded={isNaming} onClick={() => setNaming(!isNaming)}>
          + File
        </Button>
        <Pick isMore kind="quiet">
          + From disk
        </Pick>
      </div>
      {isNaming && <NewFile onDone={() => setNaming(false)} />}
      {gone.length > 0 && (
        <p class="note">
          Removed: <span class="mono">{gone.join(', ')}</span>{' '}
          <Button kind="small" onClick={() => bringBack(gone)}>
            Bring back
          </Button>
        </p>
      )}
      {files.has(open) && <FileText key={open} name={open} onSubmit={onSubmit} />}
    </>
  );
}

/** Tabs that are shown; whoever sends more edits them elsewhere. */
const SHOWN_MAX = 60;

function bringBack(names: readonly string[]): void {
  const files = new Map(draft.peek().files);
  for (const name of names) files.set(name, originals.peek().get(name) ?? '');
  editDraft({ files });
}

function NewFile({ onDone }: { onDone: () => void }) {
  const [name, setName] = useState('');
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const isThere = draft.value.files.has(name);
  const add = () => {
    if (name === '' || isThere) return;
    apply({ kind: 'write', name, text: '' });
    onDone();
  };
  return (
    <p class="new-file">
      <input
        ref={input}
        aria-label="Name of the new file"
        placeholder="main.go, or lib/util.py"
        value={name}
        spellcheck={false}
        onInput={({ currentTarget }) => setName(currentTarget.value.trim().replace(/^(\.?\/)+/, ''))}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey) add();
          if (event.key === 'Escape') onDone();
        }}
      />
      <Button
        disabled={name === '' || isThere}
        title={isThere ? 'It is there already' : undefined}
        onClick={add}
      >
        Add
      </Button>
    </p>
  );
}

function Checks({ checks }: { checks: readonly Check[] }) {
  return (
    <ul class="checks" aria-label="Checked before it is sent">
      {checks.map(({ role, text, fixes = [] }) => (
        <li key={text} class={role}>
          {role === 'good' ? (
            <Glyph state="Ready" role="good" />
          ) : role === 'rest' ? (
            <Glyph state="Stopped" role="rest" />
          ) : (
            <Sign role={role} />
          )}
          <span>
            {text}{' '}
            {fixes.map(({ label, change }) => (
              <span key={label} class="fix">
                <Button kind="small" onClick={() => apply(change)}>
                  {label}
                </Button>
              </span>
            ))}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Go({ why, note, onDeploy }: Props) {
  const isBusy = deployment.value.kind === 'sending';
  return (
    <div class="go">
      <Button
        kind="primary big"
        keys="Control+Enter"
        disabled={why !== '' || isBusy}
        title={why === '' ? undefined : why}
        onClick={onDeploy}
      >
        {isBusy ? 'Sending…' : 'Deploy'}
      </Button>
      <span class="note">
        {why !== '' ? (
          why
        ) : (
          <>
            <Keys keys="Ctrl" />+<Keys keys="Enter" />. {note}
          </>
        )}
      </span>
    </div>
  );
}
