import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ContextNotSettled, concerns, createContextCache } from '../../../controller/images/context-cache.ts';
import type { Contexts } from '../../../registry/contexts/contexts.ts';
import { SourcesHeld } from '../../../registry/git/sources-held.ts';
import { AppError } from '../../../schemas/errors.ts';
import type { BuildSpec } from '../../../schemas/program.ts';
import { createManualClock } from '../../sim/manual-clock.ts';

const build = (context: string): BuildSpec => ({ context, dockerfile: 'Dockerfile', args: {} });

function createBench() {
  const clock = createManualClock();
  const bench = {
    hash: 'h1',
    againMs: 0,
    isGone: false,
    held: '',
    looks: 0,
    kept: [] as readonly BuildSpec[],
  };
  const contexts: Pick<Contexts, 'look' | 'keepOnly'> = {
    keepOnly(builds) {
      bench.kept = builds;
    },
    async look() {
      bench.looks++;
      if (bench.held !== '') throw new SourcesHeld(bench.held, bench.held !== 'a checkout', 100);
      if (bench.isGone) throw new AppError('BuildFailed', 'sources/a does not exist');
      return { hash: bench.hash, buildId: `build-${bench.hash}`, againMs: bench.againMs };
    },
  };
  return { clock, bench, cache: createContextCache(contexts as Contexts, clock) };
}

const A = build('sources/a');

describe('the cache of contexts', () => {
  it('looks once in ten seconds, and at once for a spec that changed', async () => {
    const { clock, bench, cache } = createBench();
    await cache.look(A, 1);
    await clock.advance(9_999);
    assert.equal((await cache.look(A, 1)).hash, 'h1');
    assert.equal(bench.looks, 1);
    bench.hash = 'h2';
    assert.equal((await cache.look(A, 2)).hash, 'h2');
    await clock.advance(10_000);
    await cache.look(A, 2);
    assert.equal(bench.looks, 3);
  });

  it('looks again after a hint that concerns the context, and only then', async () => {
    const { bench, cache } = createBench();
    await cache.look(A, 1);
    cache.invalidate(new Set(['sources/b/Dockerfile', 'sources/ab']));
    await cache.look(A, 1);
    assert.equal(bench.looks, 1);
    cache.invalidate(new Set(['sources/a/src/main.ts']));
    await cache.look(A, 1);
    assert.equal(bench.looks, 2);
  });

  it('waits for files that are being written, for two seconds at most', async () => {
    const { clock, bench, cache } = createBench();
    bench.againMs = 51;
    const notSettled = (error: unknown) => error instanceof ContextNotSettled && error.againMs === 51;
    await assert.rejects(cache.look(A, 1), notSettled);
    await clock.advance(1_999);
    await assert.rejects(cache.look(A, 1), notSettled);
    await clock.advance(1);
    assert.equal((await cache.look(A, 1)).hash, 'h1');
    await clock.advance(10_000);
    await assert.rejects(cache.look(A, 1), notSettled, 'the time counts anew');
  });

  it('waits two seconds for what can not be used, says then what is wrong at each look, and takes it when it can', async () => {
    const { clock, bench, cache } = createBench();
    bench.isGone = true;
    const notSettled = (error: unknown) => error instanceof ContextNotSettled;
    await assert.rejects(cache.look(A, 1), notSettled);
    await clock.advance(1_999);
    await assert.rejects(cache.look(A, 1), notSettled);
    await clock.advance(1);
    await assert.rejects(cache.look(A, 1), /does not exist/);
    await cache.relook([A]);
    await assert.rejects(cache.look(A, 1), /does not exist/, 'it is not waited for again');
    bench.isGone = false;
    assert.equal((await cache.look(A, 1)).hash, 'h1');
    cache.invalidate(new Set(['sources/a']));
    bench.isGone = true;
    await assert.rejects(cache.look(A, 1), notSettled, 'the time counts anew');
  });

  it('finds what no hint told: changed, gone, and back', async () => {
    const { bench, cache } = createBench();
    await cache.look(A, 1);
    assert.deepEqual(await cache.relook([A]), []);
    bench.hash = 'h2';
    assert.deepEqual(await cache.relook([A]), [A]);
    assert.equal((await cache.look(A, 1)).hash, 'h2');
    bench.isGone = true;
    assert.deepEqual(await cache.relook([A]), [A]);
    bench.isGone = false;
    assert.deepEqual(await cache.relook([A]), [A]);
  });

  it('goes by what it knows while git is in the middle of something, and takes what is there when it ends', async () => {
    const { clock, bench, cache } = createBench();
    await cache.look(A, 1);
    Object.assign(bench, { held: 'a merge', hash: 'h2' });
    await clock.advance(10_000);
    assert.deepEqual(await cache.relook([A]), []);
    assert.equal((await cache.look(A, 1)).hash, 'h1');
    assert.equal((await cache.look(A, 2)).hash, 'h1', 'also for a spec that came just before');
    const B = build('sources/b');
    await assert.rejects(cache.look(B, 1), /a merge/, 'what it does not know it does not make up');
    bench.held = '';
    assert.equal((await cache.look(A, 1)).hash, 'h2');
  });

  it('lets a changed spec wait the moments that git takes, since both may have changed', async () => {
    const { clock, bench, cache } = createBench();
    await cache.look(A, 1);
    Object.assign(bench, { held: 'a checkout', hash: 'h2' });
    await clock.advance(10_000);
    assert.equal((await cache.look(A, 1)).hash, 'h1');
    const notSettled = (error: unknown) => error instanceof ContextNotSettled && error.againMs === 100;
    await assert.rejects(cache.look(A, 2), notSettled);
    bench.held = '';
    assert.equal((await cache.look(A, 2)).hash, 'h2');
  });

  it('forgets contexts that nobody uses', async () => {
    const { bench, cache } = createBench();
    await cache.look(A, 1);
    await cache.relook([A]);
    assert.deepEqual(bench.kept, [A], 'and has what was read of others forgotten');
    await cache.relook([]);
    assert.deepEqual(bench.kept, []);
    await cache.look(A, 1);
    assert.equal(bench.looks, 3);
  });
});

describe('a changed path', () => {
  const rows: [context: string, path: string, concerned: boolean][] = [
    ['sources/a', 'sources/a', true],
    ['sources/a', 'sources/a/b/c', true],
    ['sources/a', 'sources', true],
    ['sources/a', 'sources/ab', false],
    ['sources/a', 'other', false],
    ['.', 'anything', true],
  ];
  for (const [context, path, concerned] of rows) {
    it(`${path} ${concerned ? 'concerns' : 'does not concern'} the context ${context}`, () => {
      assert.equal(concerns(build(context), new Set([path])), concerned);
    });
  }
});
