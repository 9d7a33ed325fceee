import { getIndentUnit } from '@codemirror/language';
import { EditorSelection, type Extension } from '@codemirror/state';
import { EditorView, keymap } from '@codemirror/view';

/**
 * Tab indents, Escape gives it back: the next Tab leaves the editor, whenever it comes, until something is typed or the
 * editor is left.
 */
export const tabKey: Extension = [
  keymap.of([
    { key: 'Tab', run: indent, shift: outdent },
    {
      key: 'Escape',
      run(view) {
        view.setTabFocusMode(true);
        return true;
      },
    },
  ]),
  EditorView.updateListener.of(({ docChanged, focusChanged, view }) => {
    if (docChanged || (focusChanged && !view.hasFocus)) view.setTabFocusMode(false);
  }),
];

function indent(view: EditorView): boolean {
  const { state } = view;
  if (state.readOnly) return false;
  const unit = getIndentUnit(state);
  const isBlock = state.selection.ranges.some((range) => state.sliceDoc(range.from, range.to).includes('\n'));
  if (isBlock) {
    const changes = linesOf(view).map((from) => ({ from, insert: ' '.repeat(unit) }));
    view.dispatch({ changes, userEvent: 'input.indent' });
    return true;
  }
  view.dispatch(
    state.changeByRange(({ from, to }) => {
      const insert = ' '.repeat(unit - ((from - state.doc.lineAt(from).from) % unit));
      return { changes: { from, to, insert }, range: EditorSelection.cursor(from + insert.length) };
    }),
    { userEvent: 'input.indent', scrollIntoView: true },
  );
  return true;
}

function outdent(view: EditorView): boolean {
  const { state } = view;
  if (state.readOnly) return false;
  const changes = linesOf(view).flatMap((from) => {
    const spaces = /^(?:\t| *)/.exec(state.doc.lineAt(from).text)?.[0] ?? '';
    const gone = Math.min(spaces.length, spaces === '\t' ? 1 : getIndentUnit(state));
    return gone === 0 ? [] : [{ from, to: from + gone }];
  });
  if (changes.length > 0) view.dispatch({ changes, userEvent: 'delete.dedent' });
  return true;
}

/** Where the lines begin that the selection is in. */
function linesOf({ state }: EditorView): number[] {
  const starts = new Set<number>();
  for (const { from, to } of state.selection.ranges)
    for (let at = from; at <= to; ) {
      const line = state.doc.lineAt(at);
      starts.add(line.from);
      at = line.to + 1;
    }
  return [...starts];
}
