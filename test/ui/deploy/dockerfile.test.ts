import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyingGoSum, instructionsOf, lineOfStep } from '../../../api/ui/screens/deploy/dockerfile.ts';
import { failedStep, isWantOfGoSum } from '../../../api/ui/screens/deploy/failed-step.ts';
import { costOf, isBroken, readText } from '../../../api/ui/screens/deploy/read-text.ts';
import { type Build, emptyBuild } from '../../../schemas/build-step.ts';

const TEXT = '# a\nFROM alpine AS one\nRUN apk add \\\n  # within\n  git\nCOPY a b ./\nrun true\nRUN true\n';

test('instructions are whole, and know their first line', () => {
  assert.deepEqual(
    instructionsOf(TEXT).map(({ line, text }) => [line, text]),
    [
      [2, 'FROM alpine AS one'],
      [3, 'RUN apk add git'],
      [6, 'COPY a b ./'],
      [7, 'run true'],
      [8, 'RUN true'],
    ],
  );
});

test('the line of a step is told where one line alone is meant', () => {
  assert.equal(lineOfStep(TEXT, '[one 2/4] RUN apk add   git'), 3);
  assert.equal(lineOfStep(TEXT, '[one 3/4] COPY a b ./'), 6);
  assert.equal(lineOfStep(TEXT, '[one 4/4] RUN true'), null);
  assert.equal(lineOfStep(TEXT, '[internal] load build context'), null);
});

test('go.sum is put beside go.mod, and what can not be mended stays', () => {
  assert.equal(copyingGoSum('COPY src/go.mod ./\n'), 'COPY src/go.mod src/go.sum ./\n');
  assert.equal(copyingGoSum('COPY go.mod go.sum ./\n'), 'COPY go.mod go.sum ./\n');
  assert.equal(copyingGoSum('COPY ["go.mod", "./"]\n'), 'COPY ["go.mod", "./"]\n');
});

const build = (output: string[], more: Partial<Build> = {}): Build => {
  const done = { cached: false, started: null, completed: null };
  const steps = [
    { ...done, number: 1, name: '[1/2] FROM alpine AS one', error: '', output: [] },
    { ...done, number: 2, name: '[2/2] COPY a b ./', error: 'exit code: 1', output },
  ];
  return { ...emptyBuild('build-1'), steps, ...more };
};

test('the step that failed has its last lines and its line of the Dockerfile', () => {
  const found = failedStep(build(Array.from({ length: 30 }, (_, at) => `line ${at}`)), TEXT);
  assert.deepEqual([found?.step.number, found?.of, found?.line], [2, 2, 6]);
  assert.deepEqual(found?.tail.split('\n').length, 12);
  assert.equal(failedStep(build([]), TEXT)?.tail, 'exit code: 1');
  assert.equal(failedStep(emptyBuild('x'), TEXT), undefined);
});

test('the want of go.sum is seen in what the build printed', () => {
  assert.equal(isWantOfGoSum(build(['main.go:3:2: missing go.sum entry for module'])), true);
  assert.equal(isWantOfGoSum(build(['undefined: x'])), false);
});

test('what is no UTF-8 is no text; what is stays as it is', async () => {
  assert.equal(await readText(new Blob([new Uint8Array([0x89, 0x50, 0xff])])), undefined);
  assert.equal(await readText(new Blob(['\ufeffä\r\n\0'])), '\ufeffä\r\n\0');
  assert.equal(isBroken(Buffer.from([0x89]).toString('utf8')), true);
});

test('what a file costs is what its JSON takes', () => {
  assert.equal(costOf('a', '"ä"\n'), Buffer.byteLength(JSON.stringify({ a: '"ä"\n' })) - 1);
});
