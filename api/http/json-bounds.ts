import { AppError } from '../../schemas/errors.ts';

/** Values, and names of fields, in one body: ten times as many as there may be files. */
const VALUES_MAX = 100_000;
/** Objects and lists in one another. */
const DEPTH_MAX = 64;

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [LIST, LIST_END, OBJECT, OBJECT_END] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * Counts what a JSON body is made of while it comes: a small value takes many times its length once it is parsed, and
 * parsing can not be broken off. Whether it is JSON is not asked.
 * @returns takes the next bytes; throws `BadRequest` as soon as there is too much in them
 */
export function createJsonBounds(): (chunk: Uint8Array) => void {
  let isInText = false;
  let isEscaped = false;
  let values = 0;
  let depth = 0;
  return (chunk) => {
    for (let at = 0; at < chunk.length; at++) {
      if (isEscaped) {
        isEscaped = false;
        continue;
      }
      if (isInText) at = endOfPlain(chunk, at);
      const byte = chunk[at];
      if (byte === QUOTE) isInText = !isInText;
      else if (isInText) isEscaped = byte === BACKSLASH;
      else if (byte === COMMA || byte === COLON) values++;
      else if (byte === LIST || byte === OBJECT) {
        values++;
        depth++;
        if (depth > DEPTH_MAX) throw tooMuch(`more than ${DEPTH_MAX} objects and lists in one another`);
      } else if (byte === LIST_END || byte === OBJECT_END) depth--;
    }
    if (values > VALUES_MAX) throw tooMuch(`more than ${VALUES_MAX} values`);
  };
}

/** Where a text has the next byte that means something. By itself, since most of a body is that. */
function endOfPlain(chunk: Uint8Array, from: number): number {
  let at = from;
  for (; at < chunk.length; at++) if (chunk[at] === QUOTE || chunk[at] === BACKSLASH) break;
  return at;
}

function tooMuch(what: string): AppError {
  return new AppError('BadRequest', `the body has ${what}`, {
    hint: 'No call of this host needs as many; text of files may be as long as it likes.',
  });
}
