import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';

/** A number in a file. It is on disk before `increment` returns, so a crash never takes back what was answered. */
export class CountStore {
  #file;

  constructor(file) {
    this.#file = file;
    this.count = 0;
    this.updatedAt = new Date().toISOString();
    try {
      const { count, updatedAt } = JSON.parse(readFileSync(file, 'utf8'));
      Object.assign(this, { count, updatedAt });
    } catch (error) {
      // The first start has none. A damaged one is for people to look at, not for us to overwrite.
      if (error.code !== 'ENOENT') throw error;
    }
  }

  increment() {
    const next = { count: this.count + 1, updatedAt: new Date().toISOString() };
    // The whole file under another name, then renamed: a crash leaves the old one or the new one, never half.
    const temporary = `${this.#file}.new`;
    const file = openSync(temporary, 'w');
    try {
      writeSync(file, JSON.stringify(next));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, this.#file);
    Object.assign(this, next);
    return this.count;
  }
}
