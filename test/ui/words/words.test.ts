import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withClocks } from '../../../api/ui/words/span.ts';
import { plain } from '../../../api/ui/words/words.ts';

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
