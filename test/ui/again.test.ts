import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inFrame } from '../../api/ui/state/again.ts';

/** A tab of which the test is the browser. */
class Tab extends EventTarget {
  visibilityState = 'visible';
  frames = new Map<number, () => void>();

  hide(): void {
    this.visibilityState = 'hidden';
    this.dispatchEvent(new Event('visibilitychange'));
  }

  frame(): void {
    const all = [...this.frames.values()];
    this.frames.clear();
    for (const run of all) run();
  }
}

function openTab(): Tab {
  const tab = new Tab();
  let last = 0;
  Object.assign(globalThis, {
    document: tab,
    requestAnimationFrame: (run: () => void) => {
      tab.frames.set(++last, run);
      return last;
    },
    cancelAnimationFrame: (id: number) => tab.frames.delete(id),
  });
  return tab;
}

test('work for a frame is done in it, once', () => {
  const tab = openTab();
  let done = 0;
  inFrame(() => done++);
  assert.equal(done, 0);
  tab.frame();
  tab.frame();
  tab.hide();
  assert.equal(done, 1);
});

test('a tab that is hidden before its frame comes does the work all the same, once', async () => {
  const tab = openTab();
  let done = 0;
  inFrame(() => done++);
  tab.hide();
  assert.equal(done, 1);
  tab.frame();
  inFrame(() => done++);
  assert.equal(tab.frames.size, 0, 'it has no frames');
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(done, 2);
});
