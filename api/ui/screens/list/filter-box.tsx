import { useSignal, useSignalEffect } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { Button } from '../../parts/button.tsx';
import { parseQuery, partsOf } from './filter.ts';
import { Hints } from './hint-list.tsx';
import { type Hint, hintsFor } from './hints.ts';
import type { ListModel } from './list-model.ts';
import { figuresOf, query, setQuery } from './list-state.ts';

const PLACEHOLDER = 'Search, or user: state: reason: mem:>85 …';

/** The search field: tokens as chips, words, and what can be said. */
export function FilterBox({ model }: { model: ListModel }) {
  const input = useRef<HTMLInputElement>(null);
  const box = useFilter(model, () => input.current);
  const { tokens } = query.value;
  const isOpen = box.hints.value.length > 0;
  return (
    <div class="filter">
      <div class="tokens" onClick={(event) => event.target === event.currentTarget && input.current?.focus()}>
        <Lens />
        <span class="chips">
          {tokens.map((token) => (
            <Chip key={token} token={token} remove={() => box.set(tokens.filter((one) => one !== token))} />
          ))}
        </span>
        <input
          ref={input}
          {...{ id: 'search', type: 'text', autocomplete: 'off', spellcheck: false, role: 'combobox' }}
          value={box.draft}
          placeholder={PLACEHOLDER}
          aria-label="Search and filter programs"
          aria-autocomplete="list"
          aria-controls="hints"
          aria-expanded={isOpen}
          aria-activedescendant={isOpen && box.at.value >= 0 ? `hint-${box.at.value}` : undefined}
          aria-keyshortcuts="/"
          onInput={(event) => box.type(event.currentTarget.value)}
          onFocus={box.open}
          onBlur={box.shut}
          onKeyDown={box.press}
        />
        {(tokens.length > 0 || box.draft.value !== '') && (
          <Button kind="text clear" onClick={() => box.set([], '')}>
            Clear
          </Button>
        )}
      </div>
      <Hints hints={box.hints.value} at={box.at.value} take={box.take} />
    </div>
  );
}

function useFilter(model: ListModel, field: () => HTMLInputElement | null) {
  const draft = useSignal(query.peek().words.join(' '));
  const hints = useSignal<readonly Hint[]>([]);
  const at = useSignal(-1);
  // The URL may change elsewhere: back, forth, a link.
  useSignalEffect(() => {
    const words = query.value.words.join(' ');
    if (parseQuery(draft.peek()).words.join(' ') !== words) draft.value = words;
  });
  const shut = () => {
    hints.value = [];
    at.value = -1;
  };
  const open = () => {
    shut();
    hints.value = hintsFor(draft.peek(), model.all(), figuresOf);
  };
  const set = (tokens: readonly string[], text = draft.peek()) => {
    draft.value = text;
    setQuery({ tokens: [...new Set(tokens)], words: parseQuery(text).words });
  };
  const { tokens } = query.peek();
  const type = (text: string) => {
    // A token is one once a space comes behind it.
    const [all = '', done = ''] = /(?:^|\s)(\S+)\s$/.exec(text) ?? [];
    if (done !== '' && partsOf(done) !== undefined)
      set([...tokens, done], text.slice(0, -all.length).trimEnd());
    else set(tokens, text);
    open();
  };
  const take = (text: string) => {
    const before = draft.peek().replace(/\S*$/, '');
    if (text.endsWith(':')) draft.value = before + text;
    else set([...tokens, text], before.trim());
    open();
    field()?.focus();
  };
  const enter = () => {
    const chosen = hints.peek()[at.peek()];
    const last = /\S+$/.exec(draft.peek())?.[0] ?? '';
    if (chosen !== undefined) take(chosen.text);
    else if (partsOf(last) !== undefined) take(last);
    else document.querySelector<HTMLElement>('.programs a.name')?.focus();
  };
  const press = (event: KeyboardEvent) => {
    const many = hints.peek().length;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by !== undefined && many > 0) {
      event.preventDefault();
      at.value = at.peek() < 0 ? (by > 0 ? 0 : many - 1) : (at.peek() + by + many) % many;
    } else if (event.key === 'Enter') enter();
    else if (event.key === 'Backspace' && draft.peek() === '' && tokens.length > 0) set(tokens.slice(0, -1));
  };
  return { draft, hints, at, open, shut, set, type, take, press };
}

function Chip({ token, remove }: { token: string; remove: () => void }) {
  const [key = '', value] = [token.split(':', 1)[0], token.slice(token.indexOf(':') + 1)];
  return (
    <span class="chip">
      <span class="key">{key}:</span>
      {value}
      <Button kind="text" label={`Remove ${token}`} onClick={remove}>
        ×
      </Button>
    </span>
  );
}

function Lens() {
  return (
    <span class="lens" aria-hidden="true">
      <svg viewBox="0 0 14 14" width="14" height="14">
        <circle cx="6" cy="6" r="4.2" />
        <path d="m9.2 9.2 3.6 3.6" />
      </svg>
    </span>
  );
}
