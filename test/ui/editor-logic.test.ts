import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createChecker } from '../../api/ui/parts/editor/checker.ts';
import { briefProblem, inOrder, offsetOf, placeOf } from '../../api/ui/parts/editor/problem.ts';
import { repairOf } from '../../api/ui/parts/editor/repairs.ts';
import { changeBetween, fromEditor, lineEndsOf, toEditor } from '../../api/ui/parts/editor/text-change.ts';
import { parseManifest } from '../../registry/manifests/manifest.ts';

const TEXT = `apiVersion: hersh.dev/v1
kind: Program
metadata:
  name: grd
spec:
  userId: ana
  build:
    context: sources/grid
  env:
    A: 6
    B: true # on
  publishport: 19008
  publishPort: 80
  restartPolicy: Allways
`;
/** As the host tells them, of a manifest that is to be called `grid`. */
const problemsOf = (text: string) =>
  parseManifest(text, 'programs/grid.yaml', 'grid', { runtime: 'runc' }).problems;

test('each of the host’s own problems whose words say what is meant is mended, and only there', () => {
  const repairs = inOrder(problemsOf(TEXT)).map((problem) => repairOf(TEXT, problem));
  const changed = repairs.map((repair) => {
    const { from, to, insert } = changeBetween(TEXT, repair?.text ?? TEXT);
    return [repair?.label, TEXT.slice(from, to), insert];
  });
  assert.deepEqual(changed, [
    ['Make it grid', '', 'i'],
    ['Put it in quotes', '6', '"6"'],
    ['Put it in quotes', 'true', '"true"'],
    ['Make it publishPort', 'p', 'P'],
    ['Make it 19001', '80', '19001'],
    ['Make it Always', 'l', ''],
  ]);
});

test('mended one after the other, nothing is left but what nobody can know', () => {
  let text = TEXT.replace('  publishPort: 80\n', '').replace('  userId', '\tuserId');
  for (let round = 0; round < 9; round++) {
    const problem = problemsOf(text).find((one) => repairOf(text, one) !== undefined);
    text = (problem && repairOf(text, problem)?.text) ?? text;
  }
  assert.deepEqual(
    problemsOf(text).map(({ message }) => message),
    [],
  );
});

test('what does not stand there any more is not mended, nor what is not clear', () => {
  const [problem] = problemsOf(TEXT).filter(({ message }) => /did you mean/.test(message));
  assert.ok(problem);
  assert.equal(repairOf(`\n${TEXT}`, problem), undefined);
  assert.equal(
    repairOf('a: b', { path: 'a', message: 'a must be one of x, y', line: 1, column: 4 }),
    undefined,
  );
});

test('a problem in few words, and its place', () => {
  const problem = { path: 'spec.runtime', message: 'spec.runtime: this host runs programs under runsc only' };
  assert.equal(briefProblem(problem), 'this host runs programs under runsc only');
  assert.equal(briefProblem({ path: 'spec.a', message: 'spec.a is required' }), 'is required');
  assert.equal(placeOf({ ...problem, line: 16, column: 3 }), 'Line 16:3');
  assert.equal(placeOf(problem), 'The file');
});

test('a place that is none any more is brought to the nearest', () => {
  assert.deepEqual(
    [offsetOf('ab\ncd', 2, 2), offsetOf('ab\ncd', 1, 9), offsetOf('ab\ncd', 7, 1), offsetOf('', 1)],
    [4, 2, 5, 0],
  );
});

test('line ends come back as they were', () => {
  const text = 'a\r\nb\r\nc\n';
  assert.equal(toEditor(text), 'a\nb\nc\n');
  assert.equal(lineEndsOf(text), '\r\n');
  assert.equal(fromEditor('a\nb\n', '\r\n'), 'a\r\nb\r\n');
  assert.equal(lineEndsOf('a\n'), '\n');
});

test('the least change between two texts', () => {
  assert.deepEqual(changeBetween('aaa', 'aaaa'), { from: 3, to: 3, insert: 'a' });
  assert.deepEqual(changeBetween('abc', 'axc'), { from: 1, to: 2, insert: 'x' });
  assert.deepEqual(changeBetween('abc', 'abc'), { from: 3, to: 3, insert: '' });
});

test('only what is said of the last text counts, however late the others answer', async () => {
  const asked = new Map<string, (answer: string) => void>();
  const told: string[] = [];
  const checker = createChecker<string>({
    ask: (text) => new Promise((resolve) => asked.set(text, resolve)),
    onAnswer: (answer) => told.push(answer),
    onError: () => assert.fail('it has an answer'),
    waitMs: 1,
  });
  checker.check('a', true);
  checker.check('b', true);
  asked.get('b')?.('of b');
  asked.get('a')?.('of a');
  await new Promise(setImmediate);
  checker.check('c');
  checker.check('d', true);
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(told, ['of b']);
  assert.deepEqual([...asked.keys()], ['a', 'b', 'd'], 'c was typed over before it was asked');
});
