// Runs the host's one file (docs/adr/0016) with what V8 made of it the last time, so that nothing is compiled twice.
// Plain Node, as start.mjs, and no more of it than a start needs.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rm, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { cachedDataVersionTag } from 'node:v8';
import { Script } from 'node:vm';
import { createNaming } from './source-places.mjs';

/** By then the first look at each program is over, and all that it takes is compiled. */
const KEEP_MS = 10_000;
const DIGEST_BYTES = 32;

/**
 * @param path of a file that is one function in ASCII, as one-file.ts makes it; its source map lies beside it
 * @param folder where V8's data is kept; where it can not be written, each start compiles
 * @param keepMs how long after the host is up the data is taken
 * @returns where V8 did not take what was kept: resolves when there is new data, or none can be kept
 */
export function runKept(path, folder, keepMs = KEEP_MS) {
  const named = createNaming(path);
  // For the host's log.
  globalThis[Symbol.for('hersh-host.named-stack')] = named;
  // Of one version of V8, its flags, and the processor.
  const file = join(folder, `${basename(path)}.${cachedDataVersionTag()}`);
  const cachedData = dataIn(file, path);
  const script = new Script(readFileSync(path, 'latin1'), { filename: path, cachedData });
  const module = { exports: {} };
  try {
    script.runInThisContext()(module.exports, createRequire(path), module, path, dirname(path));
  } catch (error) {
    // There is no log yet.
    if (typeof error?.stack === 'string') error.stack = named(error.stack);
    throw error;
  }
  if (cachedData !== undefined && !script.cachedDataRejected) return undefined;
  return Promise.resolve(module.exports.started).then(() => later(keepMs, () => keep(file, script, path)));
}

/** Keeps no process alive. */
function later(ms, work) {
  return new Promise((resolve) => setTimeout(() => resolve(work()), ms).unref());
}

/** What is kept, where it is whole and of this very file. V8 itself takes any text of the same length for it. */
function dataIn(file, path) {
  try {
    const kept = readFileSync(file);
    const data = kept.subarray(DIGEST_BYTES);
    return kept.subarray(0, DIGEST_BYTES).equals(digestOf(data, path)) ? data : undefined;
  } catch {
    return undefined;
  }
}

function keep(file, script, path) {
  const temporary = `${file}.${process.pid}`;
  try {
    const data = script.createCachedData();
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(temporary, Buffer.concat([digestOf(data, path), data]));
    renameSync(temporary, file);
  } catch {
    // The next start compiles again.
    rm(temporary, { force: true }, () => undefined);
  }
}

function digestOf(data, path) {
  const { size, mtimeNs } = statSync(path, { bigint: true });
  return createHash('sha256').update(`${size} ${mtimeNs}\n`).update(data).digest();
}
