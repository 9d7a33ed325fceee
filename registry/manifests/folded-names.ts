/** Names that are one by their lower-case form, in order of appearance. */
export interface FoldedNames {
  /** The first of those that are the same as this but for case. */
  first(name: string): string | undefined;
  add(name: string): void;
  /** Gives those that are left of its form. */
  delete(name: string): readonly string[];
}

export function createFoldedNames(): FoldedNames {
  const folded = new Map<string, readonly string[]>();
  return {
    first: (name) => folded.get(name.toLowerCase())?.[0],
    add(name) {
      const known = folded.get(name.toLowerCase()) ?? [];
      if (!known.includes(name)) folded.set(name.toLowerCase(), [...known, name]);
    },
    delete(name) {
      const left = (folded.get(name.toLowerCase()) ?? []).filter((other) => other !== name);
      if (left.length === 0) folded.delete(name.toLowerCase());
      else folded.set(name.toLowerCase(), left);
      return left;
    },
  };
}
