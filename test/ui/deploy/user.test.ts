import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameProblem, userProblem } from '../../../api/ui/screens/deploy/user.ts';

test('a user has to be named, a program need not; both by what the host takes', () => {
  assert.deepEqual([nameProblem(''), nameProblem('grid-btc.2'), userProblem('ana')], ['', '', '']);
  assert.match(userProblem(''), /User/);
  for (const unfit of ['a b', '-x', 'é', 'a'.repeat(129)]) {
    assert.notEqual(nameProblem(unfit), '', unfit);
    assert.notEqual(userProblem(unfit), '', unfit);
  }
});
