import type { UsageSample, UsageSeries } from '../../schemas/usage.ts';

/**
 * The file in which the figures of one program are kept, as bytes: a ring of fine steps for an hour, and one of coarse
 * steps for a week. Pure. A record stands where its step says (number of the step modulo the length of the ring) and
 * bears that number, so that one of a lap before, or of a clock that was set, is known as such and is a gap.
 */

export const FINE_MS = 15_000;
const FINE_COUNT = 240;
const COARSE_MS = 300_000;
const COARSE_COUNT = 2_016;
/** Fine steps in a coarse one. */
export const FINE_PER_COARSE = COARSE_MS / FINE_MS;

const HEADER = Buffer.from('hersh usage 1\n\0\0', 'latin1');
/** u32 number of the step, f32 CPU, u32 KiB of memory, u32 check. Never across two sectors of a disk. */
const RECORD_BYTES = 16;
const FINE_BYTES = FINE_COUNT * RECORD_BYTES;
export const FINE_OFFSET = HEADER.length;
const COARSE_OFFSET = FINE_OFFSET + FINE_BYTES;
/** Of every such file. */
export const RING_FILE_BYTES = COARSE_OFFSET + COARSE_COUNT * RECORD_BYTES;

const KIB = 1024;
const MEMORY_UNKNOWN = 0xffff_ffff;

/** Records one after the other, without the head of the file. */
export type Ring = Buffer;

export const emptyFine = (): Ring => Buffer.alloc(FINE_BYTES);

export const stepOf = (ms: number): number => Math.floor(ms / FINE_MS);

/** Writes a record over whatever stands in its place. */
export function putSample(ring: Ring, step: number, { cpu, memoryBytes }: UsageSample): void {
  const at = placeOf(ring, step);
  const kib =
    memoryBytes === null ? MEMORY_UNKNOWN : Math.min(Math.round(memoryBytes / KIB), MEMORY_UNKNOWN - 1);
  ring.writeUInt32LE(step, at);
  ring.writeFloatLE(cpu ?? Number.NaN, at + 4);
  ring.writeUInt32LE(kib, at + 8);
  ring.writeUInt32LE(checkOf(ring, at), at + 12);
}

/** Undefined where nothing is kept of that step. */
export const sampleOf = (ring: Ring, step: number): UsageSample | undefined => combined(ring, step, 1);

/** As many digits as anybody can tell apart, and not those that a float adds. */
const rounded = (cpu: number): number => Math.round(cpu * 1e4) / 1e4;

/** The newest step of which there is something; 0 where there is none. */
export function newestStep(ring: Ring): number {
  let newest = 0;
  for (let at = 0; at < ring.length; at += RECORD_BYTES) newest = Math.max(newest, ring.readUInt32LE(at));
  return newest;
}

/**
 * Several steps as one: the mean of CPU, the most of memory. Undefined where nothing is kept of any. A list of a thousand
 * programs reads a quarter of a million records: nothing is made of each here.
 */
export function combined(fine: Ring, first: number, count: number): UsageSample | undefined {
  let [sum, known, most, isThere] = [0, 0, -1, false];
  for (let step = first; step < first + count; step++) {
    const at = placeOf(fine, step);
    if (step <= 0 || fine.readUInt32LE(at) !== step) continue;
    isThere = true;
    const cpu = fine.readFloatLE(at + 4);
    if (!Number.isNaN(cpu)) {
      sum += cpu;
      known++;
    }
    const kib = fine.readUInt32LE(at + 8);
    if (kib !== MEMORY_UNKNOWN && kib > most) most = kib;
  }
  if (!isThere) return undefined;
  return { cpu: known === 0 ? null : rounded(sum / known), memoryBytes: most < 0 ? null : most * KIB };
}

/**
 * The hour that ends with a step, in steps of `perStep` fine ones.
 * @param perStep a divisor of the hour's 240; the steps lie on its multiples, so that they are the same at each call
 */
export function hourOf(fine: Ring, last: number, perStep = 1): UsageSeries {
  const count = FINE_COUNT / perStep;
  const end = Math.floor(last / perStep);
  return seriesOf(FINE_MS * perStep, end, count, (step) => combined(fine, step * perStep, perStep));
}

/** The week that ends with a fine step. What the hour has of it is newer than what the file has. */
export function weekOf(file: Buffer | undefined, fine: Ring, last: number): UsageSeries {
  const coarse = file && coarseIn(file);
  const whole = firstWhole(last);
  return seriesOf(COARSE_MS, Math.floor(last / FINE_PER_COARSE), COARSE_COUNT, (step) => {
    const newer = step < whole ? undefined : combined(fine, step * FINE_PER_COARSE, FINE_PER_COARSE);
    return newer ?? (coarse && sampleOf(coarse, step));
  });
}

/** A part of the file that is to be written. */
export interface Piece {
  bytes: Buffer;
  offset: number;
}

/**
 * What of the coarse ring has to be written.
 * @param from fine step up to which it was written before; 0 for never
 * @param last the newest fine step
 */
export function coarsePieces(fine: Ring, from: number, last: number): Piece[] {
  const pieces: Piece[] = [];
  const first = Math.max(firstWhole(last), Math.floor(Math.min(from, last) / FINE_PER_COARSE));
  for (let step = first; step * FINE_PER_COARSE <= last; step++) {
    const sample = combined(fine, step * FINE_PER_COARSE, FINE_PER_COARSE);
    if (sample === undefined) continue;
    // One record as a ring of its own, in which every step has the same place.
    const bytes = Buffer.alloc(RECORD_BYTES);
    putSample(bytes, step, sample);
    pieces.push({ bytes, offset: COARSE_OFFSET + (step % COARSE_COUNT) * RECORD_BYTES });
  }
  return pieces;
}

/** A whole file that has the hour, and of the week what the hour tells. */
export function newFile(fine: Ring, last: number): Buffer {
  const file = Buffer.alloc(RING_FILE_BYTES);
  HEADER.copy(file);
  fine.copy(file, FINE_OFFSET);
  for (const { bytes, offset } of coarsePieces(fine, 0, last)) bytes.copy(file, offset);
  return file;
}

/** The hour of a file, as a ring of its own. */
export function fineIn(file: Buffer): Ring {
  return Buffer.from(file.subarray(FINE_OFFSET, COARSE_OFFSET));
}

/** Whether every byte of the file is as this module writes it. */
export function isWhole(file: Buffer): boolean {
  if (file.length !== RING_FILE_BYTES || !file.subarray(0, HEADER.length).equals(HEADER)) return false;
  return areWhole(file.subarray(FINE_OFFSET, COARSE_OFFSET)) && areWhole(coarseIn(file));
}

const coarseIn = (file: Buffer): Ring => file.subarray(COARSE_OFFSET);

function areWhole(ring: Ring): boolean {
  for (let at = 0; at < ring.length; at += RECORD_BYTES) {
    if (ring.readUInt32LE(at) === 0) {
      if (
        ring.readUInt32LE(at + 4) !== 0 ||
        ring.readUInt32LE(at + 8) !== 0 ||
        ring.readUInt32LE(at + 12) !== 0
      )
        return false;
    } else if (ring.readUInt32LE(at + 12) !== checkOf(ring, at)) return false;
  }
  return true;
}

/** The first coarse step whose fine ones are all within the hour that ends with `last`. */
function firstWhole(last: number): number {
  return Math.max(1, Math.ceil((last - FINE_COUNT + 1) / FINE_PER_COARSE));
}

function seriesOf(
  stepMs: number,
  end: number,
  count: number,
  sample: (step: number) => UsageSample | undefined,
): UsageSeries {
  const first = end - count + 1;
  const cpu: (number | null)[] = [];
  const memoryBytes: (number | null)[] = [];
  for (let step = first; step <= end; step++) {
    const found = sample(step);
    cpu.push(found?.cpu ?? null);
    memoryBytes.push(found?.memoryBytes ?? null);
  }
  return { startMs: first * stepMs, stepMs, cpu, memoryBytes };
}

function placeOf(ring: Ring, step: number): number {
  const count = ring.length / RECORD_BYTES;
  return (((step % count) + count) % count) * RECORD_BYTES;
}

/** Of a record's first three words: FNV-1a, a word at a time. */
function checkOf(ring: Ring, at: number): number {
  let hash = 0x811c9dc5;
  for (let word = 0; word < 3; word++)
    hash = Math.imul(hash ^ ring.readUInt32LE(at + 4 * word), 0x01000193) ^ (hash >>> 15);
  return hash >>> 0;
}
