import { AppError } from '../../schemas/errors.ts';
import { ContextChanged, type LocatedEntry, type Sifted } from './tar.ts';

/** A context that changed so often between a look at it and the end of reading it does not stand still. */
const TRIES_MAX = 3;

/** Which file of a context does not stand still, by the context's key. */
export interface Standstill {
  /** What the last look found. */
  saw(key: string, found: Sifted<LocatedEntry>): void;
  /** @throws ContextChanged with the name of what is not as the last look found it */
  differs(key: string, found: Sifted<LocatedEntry>): void;
  /** Passes on what `keep` gives. Rejects `BuildFailed`, with the name, in the place of the third `ContextChanged`. */
  watch<T>(key: string, context: string, keep: () => Promise<T>): Promise<T>;
  keepOnly(keys: ReadonlySet<string>): void;
}

export function createStandstill(): Standstill {
  const looked = new Map<string, Sifted<LocatedEntry>>();
  const tries = new Map<string, number>();
  return {
    saw: (key, found) => looked.set(key, found),
    differs(key, found) {
      throw new ContextChanged(firstOther(looked.get(key), found));
    },
    async watch(key, context, keep) {
      try {
        const kept = await keep();
        tries.delete(key);
        return kept;
      } catch (error) {
        if (!(error instanceof AppError) || error.reason !== 'ContextChanged') throw error;
        const count = (tries.get(key) ?? 0) + 1;
        tries.set(key, count);
        const file = error.cause instanceof ContextChanged ? error.cause.file : '';
        if (count < TRIES_MAX) throw error;
        const what = `${context}${file === '' ? '' : `/${file}`}`;
        throw new AppError(
          'BuildFailed',
          `${what} does not stand still: it changed while it was read, again and again`,
          {
            cause: error,
            hint: 'Have it written somewhere else, or list it in .dockerignore.',
          },
        );
      }
    },
    keepOnly(keys) {
      for (const map of [looked, tries]) for (const key of map.keys()) if (!keys.has(key)) map.delete(key);
    },
  };
}

/** The name of the first entry that is not the same in both. */
function firstOther(one: Sifted<LocatedEntry> | undefined, other: Sifted<LocatedEntry>): string {
  const marks = (found: Sifted<LocatedEntry>) =>
    new Map([...found.entries, ...found.aside].map(({ name, mode, sha256 }) => [name, `${mode} ${sha256}`]));
  const [before, after] = [marks(one ?? { entries: [], aside: [] }), marks(other)];
  const differs = (name: string) => before.get(name) !== after.get(name);
  return [...after.keys(), ...before.keys()].find(differs) ?? '';
}
