import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { plan } from '../../../controller/program/plan.ts';
import {
  lostSandboxes,
  notePortLoss,
  portLossNews,
  portLossWaitMs,
} from '../../../controller/program/port-loss.ts';
import type { Facts } from '../../../schemas/facts.ts';
import type { ProgramMemory } from '../../../schemas/memory.ts';
import { containerOf, EXITED, memoryOf, NOW_MS, PORT, situationOf, specOf } from './situation-fixture.ts';

const spec = specOf();
const one = containerOf('a', spec, { sandbox: { id: 's', state: 'running' } });
const state = { ready: false, live: undefined, message: 'refused', portLost: true };

function factsOf(change: Partial<Facts> = {}): Facts {
  return {
    ...{ nowMs: NOW_MS, containerName: 'hersh-program-x', containers: [one], strangers: [], stopping: [] },
    ...{
      port: { port: PORT, shownPort: PORT, portProblem: undefined },
      pending: [],
      rollouts: {},
      answers: {},
    },
    probes: { a: state },
    ...change,
  };
}

const atMs = (ms: number): string => new Date(ms).toISOString();
const lossOf = (memory: ProgramMemory) => memory.program.portLoss;
const MINUTE = 60_000;

describe('a lost port', () => {
  it('gives up what is up and is seen to have lost it, and nothing else', () => {
    const memory = memoryOf();
    const { containers, program } = notePortLoss(memory, factsOf());
    assert.deepEqual(containers, { a: { portLost: true } });
    assert.deepEqual(program.portLoss, { count: 1, nextAt: atMs(NOW_MS + MINUTE) });
    for (const facts of [
      factsOf({ probes: {} }),
      factsOf({ probes: { a: { ...state, portLost: false } } }),
      factsOf({ stopping: ['a'] }),
      factsOf({ containers: [{ ...one, ...EXITED }] }),
    ])
      assert.equal(notePortLoss(memory, facts), memory);
    const given = memoryOf({ containers: { a: { portLost: true } } });
    assert.equal(notePortLoss(given, factsOf()), given);
  });

  it('is waited for twice as long each time, up to an hour, and anew after it was calm', () => {
    let memory = memoryOf();
    let nowMs = NOW_MS;
    const waits: number[] = [];
    for (let n = 0; n < 9; n++) {
      const next = notePortLoss({ ...memory, containers: {} }, factsOf({ nowMs }));
      const waitMs = Date.parse(lossOf(next)?.nextAt ?? '') - nowMs;
      waits.push(waitMs / MINUTE);
      const again = { ...next, containers: {} };
      assert.equal(notePortLoss(again, factsOf({ nowMs: nowMs + waitMs - 1 })), again);
      nowMs += waitMs;
      memory = next;
    }
    assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    const calm = factsOf({ nowMs: nowMs + 11 * MINUTE });
    assert.equal(lossOf(notePortLoss({ ...memory, containers: {} }, calm))?.count, 1);
    const soon = factsOf({ nowMs: nowMs + 9 * MINUTE });
    assert.equal(lossOf(notePortLoss({ ...memory, containers: {} }, soon))?.count, 10);
  });

  it('is waited for no longer than ever, where the clock has jumped back', () => {
    const memory = memoryOf({
      program: { portLoss: { count: 9, nextAt: atMs(NOW_MS + 100 * 60 * MINUTE) } },
    });
    assert.equal(lossOf(notePortLoss(memory, factsOf()))?.nextAt, atMs(NOW_MS + 60 * MINUTE));
  });

  it('has another made beside it, which joins no sandbox of it, and no word of a change by somebody', () => {
    const memory = memoryOf({ program: { startRequested: true }, containers: { a: { portLost: true } } });
    const lost = situationOf(spec, { sandboxed: true, containers: [one], memory });
    assert.deepEqual(lostSandboxes(lost), ['s']);
    const [create, ...others] = plan(lost);
    assert.equal(create?.kind === 'create' ? create.why : 'none', '');
    assert.deepEqual(others, []);
    assert.deepEqual(lostSandboxes({ ...lost, memory: memoryOf() }), []);
  });

  it('is looked at again when its time has come', () => {
    const portLoss = { count: 1, nextAt: atMs(NOW_MS + 5_000) };
    const memory = memoryOf({ program: { startRequested: true, portLoss } });
    const waiting = situationOf(spec, { containers: [one], memory, probes: new Map([['a', state]]) });
    assert.equal(portLossWaitMs(waiting), 5_000);
    assert.ok(plan(waiting).some((action) => action.kind === 'wait' && action.ms === 5_000));
    assert.equal(portLossWaitMs({ ...waiting, probes: new Map() }), 0);
  });

  it('is told once, with how often it came and when it is done again', () => {
    const before = memoryOf();
    const after = notePortLoss(before, factsOf());
    const nextAt = atMs(NOW_MS + MINUTE);
    assert.equal(
      portLossNews(before, after, PORT),
      `port ${PORT} refuses connections, though the program listens inside; it is made anew with its network, and not again for that before ${nextAt}`,
    );
    assert.equal(portLossNews(after, after, PORT), '');
    const often = { ...after, program: { ...after.program, portLoss: { count: 4, nextAt } } };
    assert.match(portLossNews(before, often, PORT), /inside, 4 times in a row; /);
  });
});
