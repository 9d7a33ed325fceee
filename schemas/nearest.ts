/** Shorter words are part of too many others. */
const PART_LENGTH_MIN = 4;

/**
 * The candidate closest to `word` by edits, or else the one that is part of it or the other way round; undefined
 * where none is near enough to be what was meant.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const near = candidates
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.max(2, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1));
  return near[0]?.candidate ?? partOf(word, candidates);
}

/** What is said of a field, or of another `kind` of name, that is none of those known. */
export function unknownField(where: string, field: string, known: readonly string[], kind = 'field'): string {
  const meant = nearest(field, known);
  const all = `known ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')}`;
  return `${where} is not a known ${kind}; ${meant === undefined ? all : `did you mean ${meant}?`}`;
}

function partOf(word: string, candidates: readonly string[]): string | undefined {
  const holds = (long: string, short: string) =>
    short.length >= PART_LENGTH_MIN && long.toLowerCase().includes(short.toLowerCase());
  return candidates
    .filter((candidate) => holds(word, candidate) || holds(candidate, word))
    .sort((a, b) => b.length - a.length || (a < b ? -1 : 1))[0];
}

/** Levenshtein distance; words beyond 64 characters are cut, since nobody mistypes that far. */
function editDistance(left: string, right: string): number {
  const a = left.slice(0, 64);
  const b = right.slice(0, 64);
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substitute = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(substitute, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
