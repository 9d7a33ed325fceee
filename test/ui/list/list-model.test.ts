import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batch, type Signal, signal } from '@preact/signals';
import type { ProgramBody } from '../../../api/routes/view.ts';
import { parseQuery } from '../../../api/ui/screens/list/filter.ts';
import { createListModel } from '../../../api/ui/screens/list/list-model.ts';
import { rowsOf } from '../../../api/ui/screens/list/order.ts';
import { sortOf } from '../../../api/ui/screens/list/sort.ts';
import { programBody } from '../program-body.ts';

/** A list of programs that are well, with a clock of its own. */
function stage(count: number) {
  const programs = new Map<string, Signal<ProgramBody>>();
  const names = signal<readonly string[]>([]);
  const [isLoaded, changes] = [signal(false), signal(0)];
  const [query, sort] = [signal(parseQuery('')), signal(sortOf(''))];
  const told: string[] = [];
  const waiting: { run: () => void; atMs: number }[] = [];
  let nowMs = 0;
  const model = createListModel({
    ...{ isLoaded, names, changes, query, sort },
    programOf: (name) => programs.get(name),
    figuresOf: () => ({ cpu: null, memory: null }),
    later(run, ms) {
      const one = { run, atMs: nowMs + ms };
      waiting.push(one);
      return () => void waiting.splice(waiting.indexOf(one), 1);
    },
    nowMs: () => nowMs,
    onNews: (text) => void told.push(text),
  });
  const put = (name: string, given: Partial<ProgramBody> = {}) =>
    batch(() => {
      const body = programBody({ program_id: name, ...given });
      const known = programs.get(name);
      if (known === undefined) {
        programs.set(name, signal(body));
        names.value = [...programs.keys()].sort();
      } else known.value = body;
      changes.value++;
    });
  const pass = (ms: number) => {
    nowMs += ms;
    for (const one of waiting.splice(0)) one.atMs <= nowMs ? one.run() : waiting.push(one);
  };
  for (let at = 0; at < count; at++) put(nameOf(at));
  isLoaded.value = true;
  pass(1_000);
  return {
    ...{ model, put, pass, told, query, sort },
    remove: (name: string) =>
      batch(() => {
        programs.delete(name);
        names.value = [...programs.keys()].sort();
        changes.value++;
      }),
    shown: () => rowsOf(model.view.value?.groups ?? []).map(({ name }) => name),
    groups: () => (model.view.value?.groups ?? []).map(({ kind, count: n }) => `${kind} ${n}`),
  };
}

const nameOf = (at: number) => `p${String(at).padStart(3, '0')}`;
const BROKEN = { state: 'Error', reason: 'DiskFull', error_msg: 'no space' } as const;

test('groups stand in their order, and what is down comes first', () => {
  const { groups, put, pass, model } = stage(30);
  assert.deepEqual(groups(), ['fine 30']);
  put('p020', BROKEN);
  pass(250);
  assert.deepEqual(groups(), ['down 1', 'fine 29']);
  assert.deepEqual(model.view.value?.counts, { down: 1, look: 0, busy: 0, fine: 29, rest: 0 });
});

test('however many programs change, order is made once in 250 ms, and other blocks stay what they are', () => {
  const { model, put, pass } = stage(100);
  put('p099', BROKEN);
  const views = new Set([model.view.value]);
  const before = model.view.value?.groups.at(-1)?.blocks ?? [];
  for (let at = 0; at < 50; at++) {
    put(nameOf(at % 3), { restart_count: at });
    views.add(model.view.value);
  }
  assert.equal(views.size, 1);
  pass(250);
  put('p003', BROKEN);
  pass(250);
  const after = model.view.value?.groups.at(-1)?.blocks ?? [];
  assert.deepEqual(after.slice(1), before.slice(1));
  assert.equal(after[3], before[3]);
});

test('while somebody is in the list rows keep their places, and what has moved is counted', () => {
  const { model, put, pass, shown, remove } = stage(5);
  model.isHeld.value = true;
  put('p003', BROKEN);
  put('p9');
  remove('p001');
  pass(250);
  assert.deepEqual(shown(), ['p000', 'p001', 'p002', 'p003', 'p004']);
  assert.deepEqual([...model.moved.value].sort(), ['p001', 'p003', 'p9']);
  assert.deepEqual([...model.gone.value], ['p001']);
  assert.equal(model.view.value?.counts.down, 1);
  model.isHeld.value = false;
  assert.deepEqual(shown(), ['p003', 'p000', 'p002', 'p004', 'p9']);
  assert.equal(model.moved.value.size + model.gone.value.size, 0);
});

test('what was asked for is done wherever the pointer is', () => {
  const { model, query, sort, shown } = stage(4);
  model.isHeld.value = true;
  query.value = parseQuery('p00 -user:nobody p002');
  assert.deepEqual(shown(), ['p002']);
  query.value = parseQuery('');
  sort.value = sortOf('-name');
  assert.deepEqual(shown(), ['p003', 'p002', 'p001', 'p000']);
  assert.equal(model.view.value?.groups[0]?.kind, undefined);
});

test('only what comes into trouble or out of it is told, each try of one that keeps exiting once', () => {
  const { put, pass, told } = stage(3);
  assert.deepEqual(told, []);
  put('p001', { restart_count: 1 });
  pass(250);
  put('p002', BROKEN);
  pass(250);
  put('p002', { state: 'Starting' });
  pass(250);
  put('p002', BROKEN);
  pass(250);
  put('p002');
  pass(250);
  assert.deepEqual(told, ['p002 is down: No room for its image', 'p002 is out of trouble']);
});
