import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { countOnce, layersOf } from '../../../../controller/engine/docker/image-sizes.ts';

const step = (CreatedBy: string, Size = 0) => ({ CreatedBy, Size });
const bytesOf = (...given: Parameters<typeof layersOf>) => layersOf(...given).map(({ bytes }) => bytes);

describe('layersOf', () => {
  it('gives each layer its step, in the words of either builder', () => {
    // 20.10.24, classic builder; newest first.
    const classic = [
      step('/bin/sh -c #(nop)  CMD ["node" "main.mjs"]'),
      step('/bin/sh -c #(nop)  USER 1000:1000'),
      step('/bin/sh -c mkdir -p /state && chown 1000:1000 /state'),
      step('/bin/sh -c #(nop) COPY multi:f98b86 in ./ ', 4_240),
      step('/bin/sh -c #(nop) WORKDIR /app'),
      step('/bin/sh -c apt-get install nodejs', 224_378_129),
      step('', 123_045_190),
    ];
    const layers = ['a', 'b', 'c', 'd', 'e'];
    assert.deepEqual(bytesOf(layers, classic), [123_045_190, 224_378_129, 0, 4_240, 0]);
    const buildkit = [
      step('CMD ["/busybox"]'),
      step('ENV WHICH=x'),
      step('COPY big /app/big # buildkit', 1_048_576),
      step('WORKDIR /app'),
      step('WORKDIR /'),
      step('COPY busybox /busybox # buildkit', 2_000_000),
    ];
    assert.deepEqual(bytesOf(['a', 'b', 'c'], buildkit), [2_000_000, 0, 1_048_576]);
  });

  it('knows what lies on top of a base that tells no history', () => {
    assert.deepEqual(bytesOf(['a', 'b', 'c'], [step('COPY x /x # buildkit', 5)]), [0, 0, 5]);
    assert.deepEqual(bytesOf(['a'], []), [0]);
  });

  it('takes the same files on other layers for another layer', () => {
    const [, one] = layersOf(['a', 'c'], []);
    const [, other] = layersOf(['b', 'c'], []);
    assert.notEqual(one?.chain, other?.chain);
  });
});

describe('countOnce', () => {
  const base = { chain: 'base', bytes: 100 };
  const image = (id: string, createdS: number, ...layers: { chain: string; bytes: number }[]) => ({
    ...{ id, createdS, layers, isHosts: true },
  });

  it('gives what hosts share to the oldest, whatever the order', () => {
    const images = [
      image('new', 2, base, { chain: 'n', bytes: 2 }),
      image('old', 1, base, { chain: 'o', bytes: 1 }),
    ];
    for (const list of [images, [...images].reverse()])
      assert.deepEqual(Object.fromEntries(countOnce(list)), { old: 101, new: 2 });
  });

  it('leaves to others what is theirs, though theirs is younger', () => {
    const theirs = { ...image('theirs', 9, base), isHosts: false };
    const own = image('own', 1, base, { chain: 'o', bytes: 1 });
    assert.equal(countOnce([own, theirs]).get('own'), 1);
  });
});
