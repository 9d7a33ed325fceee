/** What a word is found by, whatever its case; undefined for none. */
export function patternOf(word: string): RegExp | undefined {
  return word === '' ? undefined : new RegExp(word.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'giu');
}

/** A text in pieces, those that were found and those between; undefined where nothing was. */
export function piecesOf(text: string, pattern: RegExp): { text: string; isHit: boolean }[] | undefined {
  const pieces: { text: string; isHit: boolean }[] = [];
  let from = 0;
  for (const { index, 0: found } of text.matchAll(pattern)) {
    if (index > from) pieces.push({ text: text.slice(from, index), isHit: false });
    pieces.push({ text: found, isHit: true });
    from = index + found.length;
  }
  if (pieces.length === 0) return undefined;
  if (from < text.length) pieces.push({ text: text.slice(from), isHit: false });
  return pieces;
}

/** `3 of 1,204`; where the line that was looked at is gone, only how many. */
export function hitWords(at: number, count: number, word: string): string {
  if (word === '') return '';
  if (count === 0) return 'none';
  const all = String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
  return at < 0 ? all : `${at + 1} of ${all}`;
}
