import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { plan } from '../../../controller/program/plan.ts';
import { SANDBOX_REST_MS, withSandboxesTimed } from '../../../controller/program/sandboxes.ts';
import type { Container, Sandbox } from '../../../schemas/container.ts';
import type { Situation } from '../../../schemas/situation.ts';
import {
  containerOf,
  EXITED,
  memoryOf,
  NEVER_RAN,
  PORT,
  ready,
  situationOf,
  specOf,
} from './situation-fixture.ts';

const spec = specOf();
const stopped = specOf({ desiredState: 'Stopped' });

const box = (id: string, publishPort = PORT): Sandbox => {
  return { id, name: id, program: 'x', state: 'running', publishPort, createdAtMs: 0, address: '' };
};
const joined = (id: string, change: Partial<Container> = {}): Container =>
  containerOf(id, spec, { sandbox: { id: 's', state: 'running' }, ...change });

/** What is planned, in short. */
function done(situation: Situation): string[] {
  return plan(withSandboxesTimed({ sandboxed: true, ...situation })).map((one) =>
    one.kind === 'removeSandbox'
      ? `drop ${one.sandboxId}`
      : one.kind === 'wait'
        ? `wait ${one.ms}`
        : one.kind,
  );
}

describe('network sandboxes of a program that runs', () => {
  const of = (change: Partial<Situation>) => done(situationOf(spec, { probes: ready('a'), ...change }));

  it('stay where one is joined, or will be by what is made next', () => {
    assert.deepEqual(of({ containers: [joined('a')], sandboxes: [box('s')] }), []);
    assert.deepEqual(of({ sandboxes: [box('s')] }), ['create']);
    assert.deepEqual(of({ containers: [joined('a', NEVER_RAN)], sandboxes: [box('s')] }), ['start']);
  });

  it('go before anything is started, where nothing is to join them', () => {
    assert.deepEqual(of({ containers: [joined('a')], sandboxes: [box('s'), box('t')] }), ['drop t']);
    assert.deepEqual(of({ sandboxes: [box('s', PORT + 1)] }), ['drop s', 'create']);
    assert.deepEqual(of({ containers: [joined('a', NEVER_RAN)], sandboxes: [box('t'), box('s')] }), [
      'drop t',
      'start',
    ]);
  });

  it('go where their port is not to be had: it is another program’s, or this very one is why', () => {
    const portProblem = { reason: 'PortConflict', message: 'held by program other' } as const;
    const serving = joined('a', { publishPort: PORT + 1, servedPort: PORT + 1 });
    const dropped = (now: Situation) => done(now).filter((one) => one.startsWith('drop'));
    const next = specOf({ env: { A: 'b' } });
    assert.deepEqual(dropped(situationOf(next, { sandboxes: [box('t')] })), []);
    assert.deepEqual(dropped(situationOf(next, { sandboxes: [box('t')], portProblem })), ['drop t']);
    const kept = [box('s', PORT + 1), box('t')];
    const beside = { containers: [serving], sandboxes: kept, portProblem };
    assert.deepEqual(dropped(situationOf(next, beside)), ['drop t']);
  });

  it('are let go on where somebody paused one', () => {
    const sandbox = { id: 's', state: 'paused' } as const;
    assert.deepEqual(of({ containers: [joined('a', { sandbox })], sandboxes: [box('s')] }), ['unpause']);
  });

  it('take a container along that is to start, never one that is up; unless it has finished', () => {
    const gone = { sandbox: { id: 's', state: 'gone' } } as const;
    assert.deepEqual(of({ containers: [joined('a', { ...EXITED, ...gone })] }), ['create']);
    const own = containerOf('a', spec);
    assert.deepEqual(of({ containers: [own] }), []);
    assert.deepEqual(of({ containers: [{ ...own, ...NEVER_RAN }] }), ['remove', 'create']);
    assert.deepEqual(of({ containers: [{ ...own, ...NEVER_RAN, runtime: 'runsc' }] }), ['start']);
    const rest = { why: 'finished', specHash: own.labels['dev.hersh.spec-hash'] ?? '', exitCode: 0 };
    const memory = memoryOf({ program: { rest: rest as never, startRequested: true } });
    assert.deepEqual(of({ containers: [joined('a', { ...EXITED, ...gone })], memory }), []);
  });

  it('that are taken away leave a container that serves nothing', () => {
    const [first] = plan(
      situationOf(spec, {
        sandboxed: true,
        containers: [joined('a', { sandbox: { id: 's', state: 'gone' }, servedPort: 0 })],
      }),
    );
    assert.equal(first?.kind, 'create');
    assert.match(first?.kind === 'create' ? first.why : '', /its network sandbox is gone/);
  });
});

describe('network sandboxes of a program at rest', () => {
  const down = joined('a', EXITED);
  const after = (ms: number, more: Partial<Situation> = {}) =>
    done(
      situationOf(stopped, {
        ...{ containers: [down], sandboxes: [box('s')], rollouts: { 'sandboxes at rest': ms } },
        ...more,
      }),
    );

  it('are kept for a minute, for its port', () => {
    assert.deepEqual(after(0), [`wait ${SANDBOX_REST_MS}`]);
    assert.deepEqual(after(SANDBOX_REST_MS - 1), ['wait 1']);
    assert.deepEqual(after(SANDBOX_REST_MS), ['drop s']);
    assert.deepEqual(after(0, { sandboxes: [box('s', PORT + 1)] }), ['drop s']);
  });

  it('are not counted as at rest while something of it is up', () => {
    assert.deepEqual(after(SANDBOX_REST_MS, { containers: [joined('a')] }), ['stop']);
  });

  it('go before it is forgotten', () => {
    const goal = { kind: 'remove' } as const;
    assert.deepEqual(after(0, { goal }), ['remove']);
    assert.deepEqual(after(0, { goal, containers: [] }), ['drop s']);
    assert.deepEqual(after(0, { goal, containers: [], sandboxes: [] }), ['forget']);
  });
});
