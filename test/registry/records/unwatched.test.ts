import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openWatchRecord } from '../../../registry/records/unwatched.ts';
import { createManualClock } from '../../sim/manual-clock.ts';
import { tempFolder } from '../folder.ts';

const MINUTE = 60_000;
const minutes = (since: number) => (spans: { from: string; to: string }[]) =>
  spans.map(({ from, to }) => [from, to].map((time) => Math.round((Date.parse(time) - since) / MINUTE)));
const never = (error: unknown) => assert.fail(String(error));

test('an hour without a host is told by the next one, and one without an engine by the same', async (t) => {
  const data = await tempFolder(t);
  const clock = createManualClock();
  const shown = minutes(clock.now());
  let sees = true;
  const open = () => openWatchRecord(data, clock, () => sees, never);
  const first = await open();
  await clock.advance(5 * MINUTE);
  await first.close();
  // A host that is started again at once leaves no gap.
  const second = await open();
  assert.deepEqual(second.unwatched(), []);
  await second.close();
  await clock.advance(60 * MINUTE);
  const third = await open();
  assert.deepEqual(shown(third.unwatched()), [[5, 65]]);
  sees = false;
  await clock.advance(10 * MINUTE);
  assert.deepEqual(shown(third.unwatched()).at(-1), [65, 75], 'it goes on');
  sees = true;
  await third.close();
  await clock.advance(7 * 24 * 60 * MINUTE);
  const fourth = await open();
  assert.equal(fourth.unwatched().length, 1, 'of a week ago is of no use');
  await fourth.close();
});

test('a record that can not be read tells nothing', async (t) => {
  const data = await tempFolder(t);
  await writeFile(join(data, 'watched.json'), '{"seen": 7, "unwatched": [{}]}');
  const record = await openWatchRecord(data, createManualClock(), () => true, never);
  assert.deepEqual(record.unwatched(), []);
  await record.close();
});
