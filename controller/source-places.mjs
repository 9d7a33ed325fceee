// Errors in the host's log name file and line of the source. Node does that too, for what its own loader loads, and
// keeps each map in memory from the start and each place in it as an object from the first error on: tens of MB. Here a
// map is read when an error is written down, and not when it is made: most errors nobody ever reads, though Node's
// streams have the stack of each one made that they end with.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * @param path of a file whose source map lies beside it
 * @returns what puts the places of sources into a stack in which that file stands
 */
export function createNaming(path) {
  /** By the place in the file as a stack writes it. */
  const known = new Map();
  const written = new RegExp(`${path.replace(/[^\w/]/g, '\\$&')}:(\\d+):(\\d+)`, 'g');
  return (stack) => {
    const others = [...stack.matchAll(written)].filter(([place]) => !known.has(place));
    if (others.length > 0) learn(path, others, known);
    return stack.replace(written, (place) => known.get(place));
  };
}

function learn(path, matches, known) {
  const wanted = matches.map(([place, line, column]) => ({ place, line: line - 1, column: column - 1 }));
  for (const { place } of wanted) known.set(place, place);
  try {
    const { mappings, sources } = JSON.parse(readFileSync(`${path}.map`, 'utf8'));
    for (const { place, source, line, column } of originalsOf(mappings, wanted))
      known.set(place, `${resolve(dirname(path), sources[source])}:${line + 1}:${column + 1}`);
  } catch {
    // Without a map the places stay those of the file.
  }
}

/**
 * Where places come from.
 * @param mappings of a source map
 * @param wanted lines and columns, from 0
 * @returns those that come from a source: its number in the map, line and column from 0
 */
export function originalsOf(mappings, wanted) {
  const left = [...wanted].sort((one, other) => one.line - other.line || one.column - other.column);
  const found = [];
  let last;
  const take = () => {
    const { place, line } = left.shift();
    if (last?.line === line && last.original !== undefined) found.push({ ...last.original, place });
  };
  for (const segment of segmentsOf(mappings)) {
    while (left.length > 0 && isBefore(left[0], segment)) take();
    if (left.length === 0) return found;
    last = segment;
  }
  while (left.length > 0) take();
  return found;
}

const isBefore = (one, other) =>
  one.line < other.line || (one.line === other.line && one.column < other.column);

/** Each says what all is from its own place on until the next; told as numbers by which it differs from the last. */
function* segmentsOf(mappings) {
  const fields = [0, 0, 0, 0, 0];
  for (const [line, text] of mappings.split(';').entries()) {
    fields[0] = 0;
    for (const part of text === '' ? [] : text.split(',')) {
      const count = add(part, fields);
      const [column, source, ofLine, ofColumn] = fields;
      yield { line, column, original: count < 4 ? undefined : { source, line: ofLine, column: ofColumn } };
    }
  }
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES = new Map([...DIGITS].map((digit, value) => [digit, value]));

/** Numbers of five bits a digit, the sixth of which says that more follow; the lowest of all is the sign. */
function add(part, fields) {
  let [field, value, shift] = [0, 0, 0];
  for (const digit of part) {
    const bits = VALUES.get(digit);
    value |= (bits & 31) << shift;
    shift += 5;
    if (bits & 32) continue;
    fields[field++] += value & 1 ? -(value >>> 1) : value >>> 1;
    [value, shift] = [0, 0];
  }
  return field;
}
