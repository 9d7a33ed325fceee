import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EditorState } from '@codemirror/state';
import { gutterLineClass } from '@codemirror/view';
import { problemMarks, setProblems } from '../../api/ui/parts/editor/problem-marks.ts';

test('a problem tints the number of its line as the line itself, also after others were typed above', () => {
  let state = EditorState.create({ doc: 'a\nb\nc\n', extensions: [problemMarks] });
  const lines = () =>
    state.facet(gutterLineClass).flatMap((set) => {
      const found: number[] = [];
      set.between(0, state.doc.length, (from) => void found.push(state.doc.lineAt(from).number));
      return found;
    });
  const problems = [2, 3].map((line) => ({ line, column: 1, path: '', message: 'no' }));
  state = state.update({ effects: setProblems.of(problems) }).state;
  assert.deepEqual(lines(), [2, 3]);
  state = state.update({ changes: { from: 0, insert: 'new\n' } }).state;
  assert.deepEqual(lines(), [3, 4]);
  state = state.update({ effects: setProblems.of([]) }).state;
  assert.deepEqual(lines(), []);
});
