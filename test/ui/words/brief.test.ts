import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildSaid, cut, engineSaid, problemSaid } from '../../../api/ui/words/brief.ts';

test('a line is cut at a word, and says so', () => {
  assert.equal(cut('short\nmore'), 'short');
  assert.equal(cut('one two three four', 14), 'one two three…');
  assert.equal(cut('one two three, four', 15), 'one two three…');
  assert.equal(cut('x'.repeat(20), 10), `${'x'.repeat(9)}…`);
});

test("an engine's words begin where they say something", () => {
  assert.equal(
    engineSaid(
      'OCI runtime create failed: container_linux.go:380: no such file; tried again at 2026-11-28T03:12:44Z',
    ),
    'container_linux.go:380: no such file',
  );
  assert.equal(engineSaid('no space left'), 'no space left');
});

test('the place of a problem is told apart from it', () => {
  assert.deepEqual(problemSaid('programs/x.yaml:14:16: spec.env must be a map'), {
    line: 14,
    text: 'env must be a map',
  });
  assert.deepEqual(problemSaid('programs/x.yaml: it is empty'), { line: 0, text: 'it is empty' });
  assert.deepEqual(problemSaid('nothing of the kind'), { line: 0, text: 'nothing of the kind' });
});

test('a failed build says what its failing step said last, and not what the builder makes of it', () => {
  const failed = 'process "/bin/sh -c go build ./..." did not complete successfully: exit code: 1';
  const log = [
    '#5 [4/5] COPY . .',
    '#5 DONE 0.1s',
    '#6 [5/5] RUN go build ./...',
    '#6 # strategy/maker',
    '#6 ./main.go:14:6: undefined: Spread',
    '#6 ',
    `#6 ERROR: ${failed}; tried again at 2026-11-28T03:12:44Z`,
  ];
  assert.equal(buildSaid([failed, ...log].join('\n')), './main.go:14:6: undefined: Spread');
  // Engine 20.10.24, the builder without steps as data.
  const classic = [
    'Step 3/4 : RUN npm run build',
    ' ---> Running in 0123456789ab',
    'src/a.ts(7,2): error TS2304: no such name',
    'make: *** [build] Error 2',
  ];
  const returned = "The command '/bin/sh -c make' returned a non-zero code: 2";
  assert.equal(buildSaid([returned, ...classic].join('\n')), 'src/a.ts(7,2): error TS2304: no such name');
  assert.equal(
    buildSaid([failed, '#6 [5/5] RUN go build', `#6 ERROR: ${failed}`].join('\n')),
    'go build ./...: exit code 1',
  );
});
