import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Button } from './button.tsx';

/** Dialogs: only where something can not be undone, and for the list of keys. */

interface Dialog {
  title: string;
  /** Text, and buttons in `DialogActions`. */
  body: (close: () => void) => ComponentChildren;
  isWide?: boolean;
}

const open = signal<Dialog | undefined>(undefined);

export function showDialog(dialog: Dialog): void {
  open.value = dialog;
}

export function closeDialog(): void {
  open.value = undefined;
}

/** Where they appear: once on the page. */
export function DialogPlace() {
  const dialog = open.value;
  return dialog === undefined ? null : <Shown key={dialog.title} {...dialog} />;
}

export function DialogActions({ children }: { children: ComponentChildren }) {
  return <div class="dialog-actions">{children}</div>;
}

function Shown({ title, body, isWide = false }: Dialog) {
  const node = useRef<HTMLDialogElement>(null);
  const isThere = useRef(true);
  const id = useId();
  // At once, and not after a frame: the next key may come before that, and is not meant for the page.
  useLayoutEffect(() => {
    const before = document.activeElement;
    const dialog = node.current;
    dialog?.showModal();
    return () => {
      isThere.current = false;
      // While it is open nothing outside takes the focus.
      dialog?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={node}
      class={isWide ? 'wide' : undefined}
      aria-labelledby={id}
      // It is told a moment later, when another one may be open.
      onClose={() => isThere.current && closeDialog()}
      onClick={(event) => event.target === node.current && closeDialog()}
    >
      <h2 id={id}>{title}</h2>
      <div class="dialog-body">{body(closeDialog)}</div>
    </dialog>
  );
}

interface Asked {
  title: string;
  says: ComponentChildren;
  /** Has to be typed before the button works. */
  word: string;
  /** What that is: `name`. */
  what: string;
  verb: string;
  onYes: () => void;
}

/** Asks for what can not be undone, by name. */
export function askByName({ title, says, word, what, verb, onYes }: Asked): void {
  showDialog({
    title,
    body: (close) => (
      <ByName
        {...{ says, word, what, verb, close }}
        onYes={() => {
          close();
          onYes();
        }}
      />
    ),
  });
}

function ByName({ says, word, what, verb, close, onYes }: Omit<Asked, 'title'> & { close: () => void }) {
  const [typed, type] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const isRight = typed.trim() === word;
  useLayoutEffect(() => input.current?.focus(), []);
  return (
    <>
      {says}
      <label for={id}>
        Type the {what} <b class="mono select">{word}</b> to go on
      </label>
      <input
        {...{ id, ref: input, value: typed, autocomplete: 'off', autocapitalize: 'off', spellcheck: false }}
        onInput={(event) => type(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Enter' && isRight && onYes()}
      />
      <DialogActions>
        <Button onClick={close}>Keep it</Button>
        <Button kind="danger solid" disabled={!isRight} onClick={onYes}>
          {verb}
        </Button>
      </DialogActions>
    </>
  );
}
