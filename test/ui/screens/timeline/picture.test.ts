import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Figures, NO_FIGURES } from '../../../../api/ui/screens/timeline/figures.ts';
import { frameOf } from '../../../../api/ui/screens/timeline/frame.ts';
import { marksOf } from '../../../../api/ui/screens/timeline/lanes.ts';
import { momentNear, momentsOf, readingOf, sentenceOf } from '../../../../api/ui/screens/timeline/moments.ts';
import { pictureOf } from '../../../../api/ui/screens/timeline/picture.ts';
import type { Shape } from '../../../../api/ui/screens/timeline/shape.ts';
import { storyOf } from '../../../../api/ui/screens/timeline/story.ts';
import { anEvent, aProgram, ms } from '../../a-program.ts';

const [FROM, NOW] = [ms('03:00'), ms('04:00')];
const frame = frameOf(FROM, NOW, 1000);
const crashes = ['03:40', '03:41', '03:43'].map((clock, at) =>
  anEvent(clock, 'CrashLoopBackOff', {
    ...{ state: 'Error', type: 'Warning', message: `exited ${at + 2} times in a row (exit code 2)` },
  }),
);
const events = [
  anEvent('03:20', 'Ready'),
  anEvent('03:39', 'ManifestReplaced', { author: 'ana' }),
  ...crashes,
];
const story = storyOf({ p: aProgram({ state: 'Error' }), events, revisions: [], runs: [] }, NOW);
const figures: Figures = {
  ...{ startMs: FROM, stepMs: 60_000, cpu: [], cpuLimit: null, why: '' },
  memory: [100, 200, null, 400, null, null, 50],
  memoryLimit: 400,
};
const wordsOf = (shapes: readonly Shape[]) => shapes.flatMap((one) => (one.kind === 'text' ? one.text : []));

test('lanes stand in their order, each with its words, and a rule falls from each change', () => {
  const { shapes, axisY } = pictureOf(story, figures, frame, true);
  const words = wordsOf(shapes);
  for (const one of [
    'Changes',
    'Revision',
    'State',
    'Probe',
    'Exits',
    'Memory',
    'CPU',
    'now',
    'exit code 2, ×3',
  ])
    assert.ok(words.includes(one), `${one} of ${words}`);
  assert.ok(words.includes('manifest replaced by ana'));
  const rules = shapes.filter((one) => one.class === 'tl-rule');
  assert.equal(rules.length, 1);
  assert.ok(rules[0]?.kind === 'path' && rules[0].d.endsWith(`V${axisY}`));
});

test('a line has a gap where nothing is known, and a tick for a run of one step', () => {
  const { shapes } = pictureOf(story, figures, frame, true);
  const line = shapes.find((one) => one.class === 'tl-line');
  assert.ok(line?.kind === 'path');
  assert.equal(line.d.match(/M/g)?.length, 3);
  assert.equal(line.d.match(/h1/g)?.length, 2);
});

test('where events do not reach back, that is said', () => {
  assert.ok(wordsOf(pictureOf(story, figures, frame, true).shapes).includes('no events from before'));
  const nothing = storyOf({ p: aProgram(), events: [], revisions: [], runs: [] }, NOW);
  const words = wordsOf(pictureOf(nothing, { ...NO_FIGURES, why: 'it does not run' }, frame, false).shapes);
  for (const one of ['no events', 'none is asked for', 'it does not run'])
    assert.ok(words.includes(one), one);
});

test('changes too near to be told apart are one mark', () => {
  const change = (clock: string) => ({ at: ms(clock), text: clock, author: '' });
  const marks = marksOf([change('03:20'), change('03:20:02.000'), change('03:50')], frame);
  assert.deepEqual(
    marks.map(({ changes }) => changes.length),
    [2, 1],
  );
});

test('moments are sentences, and the nearest is found', () => {
  const moments = momentsOf(story, frame);
  assert.deepEqual(
    moments.map(({ at }) => at),
    moments.map(({ at }) => at).sort((a, b) => a - b),
  );
  const near = momentNear(moments, ms('03:39:03.000'), 10_000);
  assert.equal(near?.text, 'manifest replaced by ana');
  assert.equal(momentNear(moments, ms('03:25'), 10_000), undefined);
  assert.ok(near);
  const sentence = sentenceOf(near, readingOf(story, figures, near.at));
  assert.equal(sentence, '03:39:00, manifest replaced by ana. Ready, r1, probe answers, memory –');
});

test('where nobody looked the picture is hatched, and the reading says why', () => {
  const unwatched = [{ from: ms('03:05'), to: ms('03:35') }];
  const known = { p: aProgram(), events: [anEvent('03:00', 'Ready')], revisions: [], runs: [], unwatched };
  const seen = storyOf(known, NOW);
  const { shapes } = pictureOf(seen, NO_FIGURES, frame, true);
  const hatch = shapes.find((one) => one.class === 'tl-unwatched');
  assert.ok(hatch?.kind === 'rect' && hatch.isHatched);
  assert.deepEqual(
    [hatch.x, hatch.x + hatch.width].map(Math.round),
    [ms('03:05'), ms('03:35')].map((at) => Math.round(frame.x(at))),
  );
  assert.ok(wordsOf(shapes).includes('no host looked'));
  assert.match(readingOf(seen, NO_FIGURES, ms('03:20')).join(), /^nobody looked/);
});
