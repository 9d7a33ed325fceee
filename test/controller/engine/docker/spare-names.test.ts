import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ownerIn, spareName, takenName } from '../../../../controller/engine/docker/spare-names.ts';
import { LABELS } from '../../../../schemas/program.ts';

const labels = (instance: string, program = '') => ({
  [LABELS.sandboxInstance]: instance,
  [LABELS.sandboxOf]: program,
});

it("a spare is nobody's until its name says whose it is", () => {
  for (const instance of ['default', 'lab', 'hersh-spare-00000000-of-lab']) {
    const name = spareName(instance, '0123abcd');
    assert.equal(ownerIn(labels(instance), `/${name}`), '');
    for (const program of ['app', 'app-1', 'a-of-b', 'hersh-spare-0123abcd'])
      assert.equal(ownerIn(labels(instance), `/${takenName(name, program)}`), program);
  }
});

it('of what somebody renamed, the name says nothing', () => {
  for (const name of ['/mine', '/hersh-spare-0123abcd-of-', '/lab-hersh-spare-0123abcd', '/hersh-spare-0123'])
    assert.equal(ownerIn(labels('default'), name), undefined);
  assert.equal(ownerIn(labels('lab'), '/hersh-spare-0123abcd'), undefined);
});

it('one that was made for a program is that program’s, whatever its name', () => {
  assert.equal(ownerIn(labels('default', 'app'), '/hersh-spare-0123abcd-of-other'), 'app');
});
