import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { think } from '../../../controller/trace/pass.ts';
import { recordOf } from './pass-fixture.ts';

describe('a pass thought again', () => {
  it('gives up what has had its time, in words and in what is remembered', () => {
    const { actions, status } = think(recordOf(5_000));
    assert.deepEqual(actions, ['give up revision 2: not ready within 5 s: nothing listens']);
    const { rollout } = status.memory;
    assert.equal(rollout.verdict === 'bad' && rollout.revision, 2);
    assert.equal(rollout.good?.revision, 1);
  });

  it('has nothing to give up a moment before', () => {
    const { actions, status } = think(recordOf(4_999));
    assert.equal(status.memory.rollout.verdict, 'new');
    assert.ok(!actions.some((action) => action.startsWith('give up')), actions.join());
  });

  it('is the same of the same, also when it was text in between', () => {
    const record = recordOf(5_000);
    const { wish, situation, ...decided } = think(JSON.parse(JSON.stringify(record)));
    assert.deepEqual(decided, record.decided);
  });

  it('fails where the record lacks a fact, and says which', () => {
    const record = recordOf(1_000);
    const facts = { ...record.facts, containers: [], answers: {} };
    assert.throws(
      () => think({ ...record, facts }),
      /^Error: the record lacks a fact: \{"kind":"image",.*"tag":/,
    );
    const memory = { ...record.before.memory, program: { ...record.before.memory.program } };
    delete memory.program.newest;
    const before = { ...record.before, memory };
    const lacking = 'the record lacks a fact: {"kind":"kept","userId":"me"}';
    assert.throws(() => think({ ...record, before }), { message: lacking });
  });
});
