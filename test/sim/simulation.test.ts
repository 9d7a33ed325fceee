import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { limitedNode } from './cpu-limit.ts';
import { KEPT_SEEDS } from './kept-seeds.ts';

/** Seeds that are always the same, so that a change which breaks one is known to have done it. */
const SEEDS = { first: 1, last: 100 };
const STEPS = 40;
/** Processes side by side. */
const PARTS = 2;

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

/** In a process of its own, whose file work is done in order: see main.ts. */
function play(...options: string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(...limitedNode('--import', 'tsx', MAIN, ...options));
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

describe('the simulation', { concurrency: PARTS }, () => {
  const size = (SEEDS.last - SEEDS.first + 1) / PARTS;
  for (let part = 0; part < PARTS; part++) {
    const from = SEEDS.first + part * size;
    it(`comes to rest as the manifests want it, seeds ${from} to ${from + size - 1}`, async () => {
      const { code, output } = await play('--seeds', `${from}-${from + size - 1}`, '--steps', `${STEPS}`);
      assert.equal(code, 0, output);
    });
  }

  it('still goes well where it once did not', async () => {
    const { code, output } = await play('--kept');
    assert.equal(code, 0, output);
    assert.ok(output.endsWith(`${KEPT_SEEDS.length} kept seeds, 0 failed\n`), output);
  });

  it('is the same every time for a seed', async () => {
    const [one, other] = await Promise.all([play('--seed', '3'), play('--seed', '3')]);
    assert.equal(one.output, other.output);
    assert.match(one.output, /went well/);
  });
});
