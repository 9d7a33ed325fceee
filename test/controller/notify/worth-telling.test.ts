import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRepeats, REPEAT_MS } from '../../../controller/notify/worth-telling.ts';
import type { ProgramEvent } from '../../../schemas/program.ts';

const event = (reason: string, more: Partial<ProgramEvent> = {}): ProgramEvent => ({
  ...{ time: '', type: 'Warning', reason, message: '', state: 'Error', revision: 1, ...more },
});

describe('what is worth telling', () => {
  it('warnings, but for what the host has put right by itself', () => {
    const { pass } = createRepeats(() => 0);
    for (const reason of ['CrashLoopBackOff', 'RolledBack', 'BuildFailed', 'StateLost', 'SomethingNew'])
      assert.equal(pass('p', event(reason)), 0, reason);
    for (const reason of ['Drifted', 'Unpaused', 'Renamed', 'StatusLost', 'Stopping'])
      assert.equal(pass('p', event(reason)), undefined, reason);
    assert.equal(pass('p', event('BuildFailed', { type: 'Normal' })), undefined);
  });

  it('what comes again by itself once an hour for each program and revision, with how often it came', () => {
    let nowMs = 0;
    const { pass } = createRepeats(() => nowMs);
    const crash = event('CrashLoopBackOff');
    assert.equal(pass('p', crash), 0);
    for (let at = 0; at < 59; at++) assert.equal(pass('p', crash), undefined);
    assert.equal(pass('q', crash), 0, 'another program');
    assert.equal(pass('p', event('CrashLoopBackOff', { revision: 2 })), 0, 'another revision');
    assert.equal(pass('p', event('OutOfMemory')), 0, 'another reason');
    nowMs = REPEAT_MS;
    assert.equal(pass('p', crash), 59);
    assert.equal(pass('p', crash), undefined);
  });

  it('what comes again only by somebody is told each time', () => {
    const { pass } = createRepeats(() => 0);
    for (const reason of ['BuildFailed', 'RolledBack', 'InvalidManifest', 'StateLost'])
      for (let at = 0; at < 3; at++) assert.equal(pass('p', event(reason)), 0, reason);
  });

  it('a program that was deleted leaves nothing to its name', () => {
    const { pass } = createRepeats(() => 0);
    assert.equal(pass('p', event('CrashLoopBackOff')), 0);
    assert.equal(pass('p2', event('CrashLoopBackOff')), 0);
    assert.equal(pass('p', event('Deleted', { type: 'Normal' })), undefined);
    assert.equal(pass('p', event('CrashLoopBackOff')), 0);
    assert.equal(pass('p2', event('CrashLoopBackOff')), undefined);
  });
});
