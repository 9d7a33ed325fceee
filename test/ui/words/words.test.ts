import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wordsOf } from '../../../api/ui/words/reasons.ts';
import { withClocks } from '../../../api/ui/words/span.ts';
import { plain } from '../../../api/ui/words/words.ts';
import { programBody } from '../program-body.ts';

const now = Date.parse('2026-11-28T03:20:00Z');

test("times within the host's own sentences are shown as all others", () => {
  const text =
    'exited 3 times in a row; started again at 2026-11-28T03:21:15.123Z\nlast at 2026-11-02T10:00:00+01:00.';
  assert.equal(
    withClocks(text, now),
    'exited 3 times in a row; started again at 03:21:15\nlast at 2 Nov 09:00.',
  );
  assert.equal(plain([{ mono: 'at 2026-11-28T03:21:15Z' }], now), 'at 03:21:15');
  assert.equal(withClocks('build-2026-11-28 of v1.2.3', now), 'build-2026-11-28 of v1.2.3');
});

test('where the same would happen again, the first act is one that may help', () => {
  for (const reason of [
    'CrashLoopBackOff',
    'ProgressDeadlineExceeded',
    'StartFailed',
    'ImageNotFound',
    'DiskFull',
  ])
    for (const revision of [1, 2]) {
      const p = programBody({ state: 'Error', reason, revision });
      const acts = wordsOf(p)?.acts?.(p) ?? [];
      assert.ok(acts[0] !== undefined && !/^(start|startNow|restart)$/.test(acts[0]), `${reason}: ${acts}`);
      if (reason === 'CrashLoopBackOff') assert.ok(acts.includes('toManifest'), 'it may be its config');
    }
});

test('what is down is not said to serve', () => {
  const down = programBody({ state: 'Error', reason: 'BuildFailed', revision: 2 });
  assert.equal(wordsOf(down)?.says(down), 'It can not be built');
  assert.doesNotMatch(plain(wordsOf(down)?.todo?.(down).flat() ?? [], now), /serves/);
  const up = programBody({ reason: 'BuildFailed', revision: 2 });
  assert.match(wordsOf(up)?.says(up) ?? '', /revision 2 goes on serving/);
  const back = programBody({ state: 'Running', reason: 'RolledBack', revision: 2, wanted_revision: 3 });
  assert.match(wordsOf(back)?.says(back) ?? '', /does not serve/);
});
