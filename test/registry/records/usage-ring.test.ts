import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  coarsePieces,
  emptyFine,
  fineIn,
  hourOf,
  isWhole,
  newestStep,
  newFile,
  putSample,
  RING_FILE_BYTES,
  sampleOf,
  weekOf,
} from '../../../registry/records/usage-ring.ts';

const MIB = 2 ** 20;
/** A multiple of every length and step there is, so that what is counted from it is easy to follow. */
const START = 120_960 * 1_000;

const sample = (cpu: number | null, mib: number | null) => ({
  cpu,
  memoryBytes: mib === null ? null : mib * MIB,
});

describe('the ring of fine steps', () => {
  it('keeps an hour, and gives it oldest first with null for gaps', () => {
    const ring = emptyFine();
    for (const step of [0, 1, 3]) putSample(ring, START + step, sample(0.25 * step, step));
    const { startMs, stepMs, cpu, memoryBytes } = hourOf(ring, START + 3);
    assert.deepEqual([cpu.length, memoryBytes.length, stepMs], [240, 240, 15_000]);
    assert.equal(startMs, (START + 3 - 239) * 15_000);
    assert.deepEqual(cpu.slice(-5), [null, 0, 0.25, null, 0.75]);
    assert.deepEqual(memoryBytes.slice(-5), [null, 0, MIB, null, 3 * MIB]);
    assert.deepEqual([...new Set(cpu.slice(0, -4))], [null]);
  });

  it('tells unknown from 0, of each figure for itself', () => {
    const ring = emptyFine();
    putSample(ring, START, sample(null, 5));
    putSample(ring, START + 1, sample(0, null));
    assert.deepEqual(sampleOf(ring, START), sample(null, 5));
    assert.deepEqual(sampleOf(ring, START + 1), sample(0, null));
  });

  it('forgets what is a lap old, also where nothing came in its place, and what a clock ahead wrote', () => {
    const ring = emptyFine();
    putSample(ring, START, sample(1, 1));
    putSample(ring, START + 240 + 7, sample(2, 2));
    assert.deepEqual(
      hourOf(ring, START + 240).cpu.filter((cpu) => cpu !== null),
      [],
    );
    assert.equal(sampleOf(ring, START + 240), undefined);
    assert.equal(sampleOf(ring, START + 7), undefined);
    assert.equal(newestStep(ring), START + 247);
  });

  it('joins steps to a mean of CPU and the most of memory, whose borders do not move', () => {
    const ring = emptyFine();
    for (let step = 0; step < 12; step++)
      putSample(ring, START + step, sample(step < 8 ? 0.5 : 1, 10 + (step % 3)));
    for (const last of [START + 11, START + 15]) {
      const { startMs, stepMs, cpu, memoryBytes } = hourOf(ring, last, 8);
      assert.deepEqual([cpu.length, stepMs, startMs], [30, 120_000, (START - 28 * 8) * 15_000]);
      assert.deepEqual(cpu.slice(-3), [null, 0.5, 1]);
      assert.deepEqual(memoryBytes.slice(-2), [12 * MIB, 12 * MIB]);
    }
  });
});

describe('the ring of coarse steps', () => {
  it('has means and peaks of five minutes, out of the hour and out of the file', () => {
    const fine = emptyFine();
    for (let step = 0; step < 40; step++) putSample(fine, START + step, sample(step < 20 ? 0.2 : 0.4, step));
    const file = newFile(fine, START + 39);
    assert.equal(file.length, RING_FILE_BYTES);
    for (const ring of [fine, emptyFine()]) {
      const { cpu, memoryBytes, stepMs, startMs } = weekOf(file, ring, START + 39);
      assert.deepEqual([cpu.length, stepMs], [2016, 300_000]);
      assert.equal(startMs, (START + 20) * 15_000 - 2015 * 300_000);
      assert.deepEqual(cpu.slice(-3), [null, 0.2, 0.4]);
      assert.deepEqual(memoryBytes.slice(-3), [null, 19 * MIB, 39 * MIB]);
    }
    assert.deepEqual(
      weekOf(undefined, emptyFine(), START).cpu.filter((cpu) => cpu !== null),
      [],
    );
  });

  it('keeps in the file what has left the hour, and the other way round', () => {
    const fine = emptyFine();
    putSample(fine, START, sample(0.5, 5));
    const file = newFile(fine, START);
    const later = START + 3 * 240;
    putSample(fine, later, sample(0.7, 7));
    const { cpu } = weekOf(file, fine, later);
    assert.deepEqual([cpu.at(-37), cpu.at(-1)], [0.5, 0.7]);
  });

  it('is written from where it was last, and never what has left the hour in part', () => {
    const fine = emptyFine();
    for (let step = 0; step < 290; step++) putSample(fine, START + step, sample(1, 1));
    const offsets = (from: number, last: number) =>
      coarsePieces(fine, from, last).map(({ offset }) => offset);
    assert.equal(offsets(START + 285, START + 289).length, 1);
    assert.equal(offsets(START + 279, START + 289).length, 2, 'the one before may have been written in part');
    assert.equal(
      offsets(0, START + 289).length,
      12,
      'five minutes that are whole within the hour, and the newest',
    );
    assert.deepEqual(offsets(START + 9_999, START + 289).length, 1, 'as by a clock that was set back');
  });
});

describe('the file', () => {
  const fine = emptyFine();
  putSample(fine, START, sample(0.5, 5));
  const file = newFile(fine, START);

  it('gives back the hour that was put in, and is whole', () => {
    assert.deepEqual(fineIn(file), fine);
    assert.equal(isWhole(file), true);
    assert.equal(isWhole(newFile(emptyFine(), START)), true);
  });

  it('is not whole where a byte of it is another, or some are missing', () => {
    const used = [...file.entries()].flatMap(([index, byte]) => (byte === 0 ? [] : [index]));
    assert.ok(used.length > 25, 'head and two records');
    for (const index of [...used, 40, RING_FILE_BYTES - 1]) {
      const other = Buffer.from(file);
      other.writeUInt8((other.readUInt8(index) + 1) % 256, index);
      assert.equal(isWhole(other), false, `byte ${index}`);
    }
    for (const length of [0, 1, 4096, RING_FILE_BYTES - 1])
      assert.equal(isWhole(file.subarray(0, length)), false);
    assert.equal(isWhole(Buffer.alloc(RING_FILE_BYTES)), false, 'as a power cut leaves it');
    assert.equal(isWhole(Buffer.concat([file, Buffer.alloc(1)])), false);
  });
});
