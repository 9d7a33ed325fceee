import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGitState } from '../../../registry/git/committed-files.ts';
import type { GitHead } from '../../../registry/git/head.ts';
import type { GitRun } from '../../../registry/git/run.ts';
import { createManualClock } from '../../sim/manual-clock.ts';

const at = (id: string): GitHead => ({
  id,
  ref: '',
  operation: '',
  locked: false,
  key: id,
  index: undefined,
});

/** A git that knows which programs each commit has; one for which it is `undefined` it can not read. */
function createBench(trees: Record<string, string[] | undefined>) {
  const warnings: string[] = [];
  const run: GitRun = async ([command = '', ...args]) => {
    const answer = (paths: string[]) => ({
      code: 0,
      stdout: paths.map((path) => `${path}\0`).join(''),
      stderr: '',
    });
    if (command === 'status' || command === 'ls-files') return answer([]);
    if (command === 'diff-tree') return answer(['programs/changed.yaml']);
    const tree = args.map((arg) => trees[arg]).find((one) => one !== undefined);
    if (tree === undefined) return { code: 128, stdout: '', stderr: 'fatal: can not fork' };
    return answer(tree.map((name) => `programs/${name}.yaml`));
  };
  const state = createGitState(
    { root: '/nowhere', prefix: '' },
    run,
    createManualClock(),
    (_fields, message) => warnings.push(message),
  );
  return { state, warnings, trees };
}

test('a HEAD that can not be read is read at the next look, and says nothing until then', async () => {
  const { state, warnings, trees } = createBench({ one: ['a', 'b'], two: undefined });
  await state.refresh(at('one'));
  assert.deepEqual([state.commitOf('a', undefined), state.commitOf('b', undefined)], ['one', 'one']);
  await state.refresh(at('two'));
  assert.deepEqual(warnings, ['git ls-tree fails in the registry']);
  assert.equal(state.commitOf('a', undefined), '', 'whether it has it is not known');
  assert.equal(state.droppedProgram('a', 'one'), false, 'nor that it has it no more');
  trees.two = ['a'];
  assert.deepEqual([...(await state.refresh(at('two')))], ['programs/changed.yaml']);
  assert.equal(state.commitOf('a', undefined), 'two');
  assert.deepEqual(
    ['a', 'b'].map((name) => state.droppedProgram(name, 'one')),
    [false, true],
  );
});
