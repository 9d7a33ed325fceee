import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createClassicSteps } from '../../../../controller/engine/docker/classic-steps.ts';
import type { StepNews } from '../../../../schemas/build-step.ts';

/** What the classic builder of Docker 20.10.24 prints, in pieces as it comes. */
const PRINTED = [
  'Step 1/3 : FROM busybox',
  '\n ---> 0123456789ab\n',
  'Step 2/3 : RUN make\n ---> Using cache\n',
  ' ---> 1123456789ab\nStep 3/3 : RUN test\n ---> Running in 2123456789ab\n',
  'one\ntw',
  'o\r\n',
];

function told(end: boolean): StepNews[] {
  const news: StepNews[] = [];
  const steps = createClassicSteps((one) => news.push(one));
  for (const text of PRINTED) steps.take(text);
  if (end) steps.end();
  return news;
}

it('a builder of text alone tells names, what was cached and what was printed, and no time', () => {
  assert.deepEqual(told(true), [
    { kind: 'step', number: 1, name: 'FROM busybox', started: null },
    { kind: 'end', number: 1, completed: null, cached: false, error: '' },
    { kind: 'step', number: 2, name: 'RUN make', started: null },
    { kind: 'end', number: 2, completed: null, cached: true, error: '' },
    { kind: 'step', number: 3, name: 'RUN test', started: null },
    { kind: 'output', number: 3, text: 'one' },
    { kind: 'output', number: 3, text: 'two' },
    { kind: 'end', number: 3, completed: null, cached: false, error: '' },
  ]);
});

it('and of a build that failed, the last step has no end', () => {
  assert.equal(told(false).filter(({ kind }) => kind === 'end').length, 2);
});
