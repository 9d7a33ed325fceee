import { yaml } from '@codemirror/lang-yaml';
import { indentUnit } from '@codemirror/language';
import { Compartment, EditorState, Prec } from '@codemirror/state';
import { EditorView, keymap, lineNumbers } from '@codemirror/view';
import { minimalSetup } from 'codemirror';
import type { EditorHandle, EditorOptions } from './handle.ts';
import { offsetOf } from './problem.ts';
import { problemMarks, setProblems } from './problem-marks.ts';
import { tabKey } from './tab-key.ts';
import { changeBetween } from './text-change.ts';
import { pageTheme } from './theme.ts';

/**
 * Makes an editor in a shadow root of `place`: there its styles are constructed sheets, which the page's policy lets
 * in. Loaded only where one is shown, see `editor.tsx`.
 */
export function makeEditor(place: HTMLElement, options: EditorOptions): EditorHandle {
  const { text, label, language, onChange, onSubmit } = options;
  const root = place.shadowRoot ?? place.attachShadow({ mode: 'open' });
  const locked = new Compartment();
  let isOurs = false;
  const view = new EditorView({
    root,
    parent: root,
    doc: text,
    extensions: [
      Prec.highest(keymap.of([{ key: 'Mod-Enter', run: () => onSubmit() }])),
      tabKey,
      lineNumbers(),
      minimalSetup,
      indentUnit.of('  '),
      language === 'yaml' ? yaml() : [],
      pageTheme,
      problemMarks,
      locked.of(lock(options.readOnly, label)),
      EditorView.contentAttributes.of({
        spellcheck: 'false',
        autocapitalize: 'off',
        autocorrect: 'off',
      }),
      EditorView.updateListener.of(({ docChanged, state }) => {
        if (docChanged && !isOurs) onChange(state.doc.toString());
      }),
    ],
  });
  return {
    setText(next) {
      const now = view.state.doc.toString();
      if (next === now) return;
      isOurs = true;
      view.dispatch({ changes: changeBetween(now, next), userEvent: 'input.replace' });
      isOurs = false;
    },
    setProblems: (problems) => view.dispatch({ effects: setProblems.of(problems) }),
    setReadOnly: (isReadOnly) => view.dispatch({ effects: locked.reconfigure(lock(isReadOnly, label)) }),
    goTo(line, column) {
      const anchor = offsetOf(view.state.doc.toString(), line, column);
      view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: 'center' }) });
      view.focus();
    },
    focus: () => view.focus(),
    measure: () => view.requestMeasure(),
    close: () => view.destroy(),
  };
}

/** For who can not see that Tab is taken. */
const WAYS = 'Tab indents; press Escape and then Tab to leave';

/** Read only it can still be reached, scrolled and copied from by keys. */
function lock(isReadOnly: boolean, label: string) {
  return isReadOnly
    ? [
        EditorState.readOnly.of(true),
        EditorView.editable.of(false),
        EditorView.contentAttributes.of({ tabindex: '0', 'aria-readonly': 'true', 'aria-label': label }),
      ]
    : [EditorView.contentAttributes.of({ tabindex: '0', 'aria-label': `${label}. ${WAYS}` })];
}
