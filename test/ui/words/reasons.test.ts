import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProgramBody } from '../../../api/routes/view.ts';
import { BRIEF_MAX } from '../../../api/ui/words/brief.ts';
import { ELSEWHERE } from '../../../api/ui/words/host-reasons.ts';
import { REASONS, wordsOf } from '../../../api/ui/words/reasons.ts';
import { plain } from '../../../api/ui/words/words.ts';
import { condition, exit, programBody } from '../program-body.ts';

const AGAIN = '; tried again at 2026-11-28T03:12:44.000Z';

/** What the host says, beside the line of the list. */
const BRIEFS: readonly [brief: string, given: Partial<ProgramBody>][] = [
  [
    'Keeps exiting, code 3, 36 times',
    {
      reason: 'CrashLoopBackOff',
      error_msg:
        'exited 36 times in a row (exit code 3); started again at 2026-11-28T03:12:44.000Z\nno route',
      last_exit: exit(),
    },
  ],
  [
    'Runs out of its 512 Mi, 7 times',
    {
      reason: 'CrashLoopBackOff',
      error_msg: 'exited 7 times in a row (out of memory); started again at 2026-11-28T03:12:15.000Z',
      last_exit: exit({ code: 137, out_of_memory: true, message: 'out of memory' }),
    },
  ],
  [
    'exec nosuch failed: No such file or directory',
    {
      reason: 'CrashLoopBackOff',
      error_msg: 'exited 4 times in a row (exit code 127); started again at 2026-11-28T03:12:15.000Z',
      last_exit: exit({
        code: 127,
        log_tail: '[FATAL tini (7)] exec nosuch failed: No such file or directory',
      }),
    },
  ],
  [
    'Runs, not ready: connection refused',
    {
      state: 'Running',
      reason: 'ProgressDeadlineExceeded',
      error_msg: 'not ready within 60 s: GET /watcher/status: connect ECONNREFUSED 127.0.0.1:19014',
    },
  ],
  [
    'Probe fails: answered 503',
    {
      state: 'Running',
      not_ready: { message: 'GET /watcher/status answered 503', since: '', was_ready: true },
    },
  ],
  [
    'Probe fails: no answer within 2 s',
    {
      state: 'Running',
      not_ready: { message: 'GET /watcher/status gave no answer within 2 s', since: '', was_ready: true },
    },
  ],
  [
    'Engine: unknown or invalid runtime name: runsc',
    {
      reason: 'StartFailed',
      error_msg: `failed to create task for container: unknown or invalid runtime name: runsc${AGAIN}`,
    },
  ],
  [
    'main.go:16:2: x',
    {
      reason: 'BuildFailed',
      error_msg:
        'process "/bin/sh -c go mod download && go build" did not complete successfully: exit code: 1\nmain.go:16:2: x',
    },
  ],
  [
    'apt-get update && apt-get install…: exit code 7',
    {
      reason: 'BuildFailed',
      error_msg:
        'executor failed running [/bin/sh -c apt-get update && apt-get install -y nothing-at-all curl]: exit code: 7',
    },
  ],
  [
    '"/main.js" not found: not found',
    { reason: 'BuildFailed', error_msg: '"/main.js" not found: not found' },
  ],
  [
    'Can not pull sentiment:1.4.0',
    {
      reason: 'ImageNotFound',
      error_msg: `ghcr.io/yuki-labs/sentiment:1.4.0 could not be pulled: manifest unknown${AGAIN}`,
    },
  ],
  [
    'r9 did not get ready; r8 is back',
    {
      reason: 'RolledBack',
      revision: 8,
      wanted_revision: 9,
      error_msg: 'revision 9 was rolled back to 8: not ready within 60 s: GET /ready answered 404',
    },
  ],
  [
    'Line 14: publishPort must be an integer',
    {
      reason: 'InvalidManifest',
      error_msg: 'programs/hedge-usdkrw.yaml:14:16: spec.publishPort must be an integer',
    },
  ],
  [
    'Port 19005 is taken; r3 serves',
    { reason: 'PortConflict', error_msg: 'port 19005 is taken by something else on this machine' },
  ],
  [
    'Port 19005 is held by grid-btc',
    { state: 'Error', reason: 'PortConflict', error_msg: 'port 19005 is held by program grid-btc' },
  ],
  [
    'Ended: exit code 3',
    {
      state: 'Stopped',
      reason: 'Completed',
      error_msg: 'it ended with exit code 3 and its restartPolicy is Never',
      last_exit: exit(),
    },
  ],
  ['Ended well', { state: 'Stopped', reason: 'Completed' }],
  [
    'Its /state was removed; it is new, and empty',
    { conditions: [condition('StateLost', 'True', 'VolumeGone')] },
  ],
  [
    'of a host that is newer than this page',
    { reason: 'Newer', error_msg: 'of a host that is newer than this page' },
  ],
];

test("the host's messages become lines of the list", () => {
  const told = BRIEFS.map(([, given]) => wordsOf(programBody(given))?.brief(programBody(given)));
  assert.deepEqual(
    told,
    BRIEFS.map(([brief]) => brief),
  );
});

test('every line is short, whatever the host says, and no word is left out', () => {
  const long = `x.yaml:1:2: ${'a rather long message of somebody else '.repeat(9)}`;
  for (const [name, words] of Object.entries(REASONS))
    for (const error_msg of ['', long, `${'y'.repeat(200)}\nmore`]) {
      const p = programBody({ state: 'Error', reason: name, error_msg, last_exit: exit({ message: long }) });
      const brief = words.brief(p);
      assert.ok(brief.length > 0 && brief.length <= BRIEF_MAX, `${name}: ${brief}`);
      assert.ok(words.says(p).length > 0 && /[.?]$/.test(words.means) && /[.?]$/.test(words.fix), name);
      assert.doesNotMatch(plain([words.next?.(p) ?? '', words.more?.(p) ?? ''], 0), /undefined|NaN/, name);
    }
});

test('what was tried three times says that nothing more is tried', () => {
  const next = (next_try_at: string) => {
    const p = programBody({ state: 'Error', reason: 'ImageNotFound', next_try_at });
    return plain(wordsOf(p)?.next?.(p) ?? '', Date.parse('2026-11-28T03:12:00.000Z'));
  };
  assert.equal(next(''), 'It was tried 3 times. Nothing more is tried by itself.');
  assert.equal(next('2026-11-28T03:12:41.000Z'), 'Tried again in 41 s. Three times in all.');
});

test('no word is explained twice', () => {
  const all = [...Object.keys(REASONS), ...ELSEWHERE.flatMap(([names]) => names.split(', '))];
  assert.equal(new Set(all).size, all.length);
});
