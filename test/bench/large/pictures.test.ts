import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Run } from './figures.ts';
import { picturesOf, svgOf } from './pictures.ts';

const run: Run = {
  ...{ programs: 2, manifests: 3, minutes: 1, sandbox: 'off', listeners: {} },
  samples: {
    'edit of a stopped program → status': [
      { atMs: 0, ms: 5 },
      { atMs: 30_000, ms: 9 },
      { atMs: 59_000, ms: null },
    ],
  },
  looks: [
    { atMs: 0, rssMb: 90, files: 20, cpuMs: 0 },
    { atMs: 30_000, rssMb: 100, files: 21, cpuMs: 3_000 },
  ],
};

test('each figure has its picture, and a time in which all failed has no point in it', () => {
  const pictures = picturesOf(run);
  const edit = pictures['edit-of-a-stopped-program-status'];
  assert.deepEqual(
    edit?.lines.map(({ name, points }) => [name, points.map(([minute]) => minute)]),
    [
      ['p50', [0, 0.5]],
      ['p99', [0, 0.5]],
    ],
  );
  assert.deepEqual(pictures.cpu?.lines[0]?.points, [[0.5, 10]]);
});

test('a picture is SVG that says what it shows', () => {
  const svg = svgOf({
    ...{ title: 'What it is', unit: 'ms' },
    lines: [
      {
        name: 'p50',
        points: [
          [0, 1],
          [1, 3],
        ],
      },
    ],
  });
  assert.match(svg, /^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  for (const word of ['What it is', 'minutes', 'ms']) assert.ok(svg.includes(`>${word}</text>`), word);
  assert.equal(svg.match(/<path [^>]*stroke-linejoin/g)?.length, 1);
});
