import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultyTab, stretchOf, tabOf } from '../../../../api/ui/screens/program/tabs.ts';
import { aProgram } from '../../a-program.ts';

test('the URL names the part and the stretch, and what it says wrongly is none', () => {
  assert.equal(tabOf('manifest'), 'manifest');
  assert.equal(tabOf('nonsense'), 'logs');
  const of = (query: string) => stretchOf(new URLSearchParams(query));
  assert.deepEqual(of('from=1&to=2'), { from: 1, to: 2 });
  for (const query of ['', 'from=2&to=1', 'from=x&to=2', 'from=1']) assert.equal(of(query), undefined, query);
});

test('a part has a sign where the fault is in it, and not where one only looks', () => {
  assert.equal(faultyTab(aProgram({ reason: 'BuildFailed' })), 'build');
  assert.equal(faultyTab(aProgram({ reason: 'InvalidManifest' })), 'manifest');
  assert.equal(faultyTab(aProgram({ reason: 'CrashLoopBackOff' })), undefined);
  assert.equal(faultyTab(aProgram({ reason: 'Building' })), undefined);
});
