import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import type { Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

/** The editor in the page's own colours: custom properties reach into its shadow root, rules do not. */

const ground = EditorView.theme({
  '&': { color: 'var(--ink)', backgroundColor: 'var(--surface)', fontSize: 'var(--editor-size)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55', fontVariantLigatures: 'none' },
  '.cm-content': { padding: 'var(--s-2) 0', caretColor: 'var(--ink)' },
  '.cm-content, .cm-gutter': { minHeight: 'var(--editor-min, 0)' },
  '.cm-line': { padding: '0 var(--s-4) 0 0' },
  '.cm-gutters': { color: 'var(--ink-2)', backgroundColor: 'var(--surface)', border: '0' },
  '.cm-lineNumbers .cm-gutterElement': { minWidth: '2.6rem', padding: '0 var(--s-3) 0 0' },
  '.cm-cursor, .cm-dropCursor': { borderLeftColor: 'var(--ink)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    background: 'color-mix(in srgb, var(--here) 30%, transparent)',
  },
  '.cm-line.cm-problem, .cm-gutterElement.cm-problem-line': { backgroundColor: 'var(--bad-tint)' },
  '.cm-problem-says': {
    marginLeft: 'var(--s-4)',
    color: 'var(--bad)',
    fontFamily: 'var(--sans)',
    fontSize: 'var(--t-1)',
    fontWeight: 'var(--w-firm)',
    userSelect: 'none',
  },
  '.cm-problem-says svg': {
    width: '14px',
    height: '14px',
    marginRight: '0.35em',
    verticalAlign: '-0.12em',
    fill: 'var(--bad)',
  },
  '.cm-problem-says svg .knock': {
    fill: 'none',
    stroke: 'var(--bad-tint)',
    strokeWidth: '1.5',
    strokeLinecap: 'round',
  },
});

const inks = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--code-key)' },
  { tag: [tags.string, tags.special(tags.string), tags.attributeValue], color: 'var(--code-text)' },
  { tag: [tags.comment, tags.lineComment, tags.blockComment], color: 'var(--code-note)' },
  { tag: [tags.keyword, tags.typeName, tags.labelName], color: 'var(--code-word)' },
]);

export const pageTheme: Extension = [ground, syntaxHighlighting(inks)];
