import assert from 'node:assert/strict';
import { it } from 'node:test';
import { runChaos } from './chaos.ts';

/** `npm run chaos` plays for as long as one likes; this is the shortest run that has a bit of everything. */
const SEED = 20_261_122;

it('a host under edits and faults of every kind ends as its manifests want it', async () => {
  const said: string[] = [];
  const say = (line: string): void => void said.push(line);
  const report = await runChaos({
    seed: SEED,
    ms: 20_000,
    kindsMin: 4,
    programs: 8,
    ports: '29760-29789',
    say,
  });
  const again = `npm run chaos -- --minutes 0.33 --seed ${SEED} --programs 8`;
  assert.deepEqual(report.wrong, [], `${report.wrong.join('\n')}\n${again}\n${said.join('\n')}`);
  assert.ok(report.counts.size > 3, 'something was done');
});
