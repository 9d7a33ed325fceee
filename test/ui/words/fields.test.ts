import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fields } from '../../../api/ui/words/fields.ts';
import { ON_CHANGE } from '../../../schemas/on-change.ts';

test('all fields of the schema are told, each with what it is and what a change costs', () => {
  const all = fields();
  const paths = all.map(({ path }) => path);
  for (const name of Object.keys(ON_CHANGE)) assert.ok(paths.includes(`spec.${name}`), name);
  assert.equal(new Set(paths).size, paths.length, 'none twice');
  const bare = all.filter(({ says, values, costs }) => says === '' || values === '' || costs === '');
  assert.deepEqual(bare, []);
});

test('what is said of a field is what the schema says', () => {
  const find = (path: string) => fields().find((field) => field.path === path);
  assert.equal(find('spec.userId')?.isRequired, true);
  assert.equal(find('spec.restartPolicy')?.byDefault, 'Always');
  assert.equal(find('spec.publishPort')?.values, '19001 to 29999');
  assert.equal(find('spec.readiness.periodSeconds')?.byDefault, '2');
  assert.match(find('spec.resources.memory')?.costs ?? '', /replaced/);
  assert.match(find('spec.build.context')?.costs ?? '', /^A build/);
});
