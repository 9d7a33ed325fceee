import { useState } from 'preact/hooks';
import type { ProgramBody } from '../../../routes/view.ts';
import { Button } from '../../parts/button.tsx';
import { Menu, type MenuItem } from '../../parts/menu.tsx';
import { wordsOfError } from '../../state/acts.ts';
import { announce } from '../../state/announce.ts';
import { client } from '../../state/client.ts';
import { clock } from '../../words/span.ts';
import { hitWords } from './find-text.ts';
import type { TimeMode } from './log-rows.ts';
import { saveAs } from './save-as.ts';
import type { Log } from './use-log.ts';

/** What can be done with a log. */
export function LogBar({ p, log, isFollowing }: { p: ProgramBody; log: Log; isFollowing: boolean }) {
  const { pane, looks, state } = log;
  const { wraps, isOnlyHits } = looks.value;
  const [said, say] = useState('');
  const isLive = state.link === 'live' && state.hasEnd;
  const change = (changes: Partial<typeof looks.value>) => {
    looks.value = { ...looks.peek(), ...changes };
  };
  return (
    <div class="log-bar">
      <Button
        kind="follow"
        keys="f"
        onClick={log.follow}
        title={
          isFollowing
            ? 'New lines are shown as they come; scroll up to stand still'
            : 'The log goes on coming; the view stays. f: follow again'
        }
      >
        <span class={`live-dot${isFollowing && isLive ? '' : ' off'}`} aria-hidden="true" />
        {!isLive ? 'At rest' : isFollowing ? 'Following' : 'Standing still'}
      </Button>
      <Find log={log} />
      <Button
        kind="quiet"
        pressed={isOnlyHits}
        onClick={() => change({ isOnlyHits: !isOnlyHits })}
        title="Show only lines that match; again: the same line among its neighbours"
      >
        Only hits
      </Button>
      <span class="grow" role="status">
        {said}
      </span>
      <select aria-label="Which stream" onChange={(event) => change({ stream: event.currentTarget.value })}>
        <option value="all">Both streams</option>
        <option value="err">Only stderr</option>
        <option value="out">Only stdout</option>
      </select>
      <select
        aria-label="Times"
        value={looks.value.times}
        onChange={(event) => change({ times: event.currentTarget.value as TimeMode })}
      >
        <option value="clock">Clock</option>
        <option value="run">Since start</option>
        <option value="none">No times</option>
      </select>
      <Button kind="quiet" keys="w" pressed={wraps} onClick={log.turnWrap}>
        Wrap
      </Button>
      <Menu label="More for the log" items={() => itemsOf(p, log, say)} />
      <span class="hidden">{pane.current === null ? '' : 'Times are UTC'}</span>
    </div>
  );
}

function Find({ log }: { log: Log }) {
  const [word, type] = useState('');
  const { at, count } = log.pane.current?.hits() ?? { at: -1, count: 0 };
  return (
    <span class="find">
      <input
        {...{ ref: log.input, type: 'search', placeholder: 'Find', autocomplete: 'off', spellcheck: false }}
        aria-label="Find in the log"
        aria-keyshortcuts="/"
        onInput={(event) => {
          type(event.currentTarget.value);
          log.pane.current?.find(event.currentTarget.value);
        }}
        onKeyDown={(event) => {
          // The field lets go of its word by itself, and `n` would have nothing to look for.
          if (event.key === 'Escape') event.preventDefault();
          if (event.key === 'Enter') log.pane.current?.hop(event.shiftKey ? -1 : 1);
        }}
      />
      <span class="hits" aria-live="polite">
        {hitWords(at, count, word)}
      </span>
      <Button kind="quiet" label="Hit before" title="Hit before: N" onClick={() => log.pane.current?.hop(-1)}>
        ↑
      </Button>
      <Button kind="quiet" label="Next hit" title="Next hit: n" onClick={() => log.pane.current?.hop(1)}>
        ↓
      </Button>
    </span>
  );
}

function itemsOf(p: ProgramBody, log: Log, say: (words: string) => void): readonly MenuItem[] {
  const name = p.program_id;
  const { pane, state } = log;
  const text = () => pane.current?.text() ?? '';
  const tell = (words: string) => {
    say(words);
    announce(words);
  };
  const copy = () =>
    navigator.clipboard.writeText(text()).then(
      () => tell('Copied'),
      () => tell('The browser does not let this page copy'),
    );
  const saveAll = () =>
    client.logText(name, true).then(
      (all) => saveAs(`${name}.log`, all),
      (error: unknown) => tell(wordsOfError(error)),
    );
  const path = `/programs/${encodeURIComponent(name)}/logs?format=text&timestamps=true&tail=all`;
  return [
    { label: 'Copy what is held', run: () => void copy() },
    { label: 'Download what is held', run: () => saveAs(`${name}.log`, text()) },
    { label: 'Download all that the engine keeps', run: () => void saveAll() },
    { label: 'As plain text ↗', run: () => void open(path, '_blank', 'noopener') },
    null,
    { label: 'All that was before is old', run: () => log.line(`all above is old, ${clock(Date.now())}`) },
    {
      label: 'Load older lines',
      run: log.older,
      why: state.hasOlder ? undefined : 'these are all that the engine keeps',
    },
  ];
}
