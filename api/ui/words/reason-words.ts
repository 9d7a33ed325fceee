import type { ProgramBody } from '../../routes/view.ts';
import type { ActName } from './act-names.ts';
import type { Words } from './words.ts';

/** Where to look for what is wrong: a part of the program's page. */
export type Look = 'logs' | 'build' | 'events' | 'manifest' | 'revisions';

/** Something to do: what, and how. */
export type ToDo = readonly [what: string, how: Words];

/**
 * A reason in plain words: the line in the list, the sentence on the program's page, what happens by itself, what to
 * do. A reason that is not in the table is shown by its own name with the host's message, never hidden.
 */
export interface ReasonWords {
  /** Two or three words. */
  title: string;
  /** At most 48 characters: the line of the list. */
  brief: (p: ProgramBody) => string;
  /** A sentence. */
  says: (p: ProgramBody) => string;
  more?: (p: ProgramBody) => Words;
  /** What happens by itself. */
  next?: (p: ProgramBody) => Words;
  todo?: (p: ProgramBody) => readonly ToDo[];
  /** What can be done here, the best first. */
  acts?: (p: ProgramBody) => readonly ActName[];
  look: Look;
  /** For the page of reasons. */
  means: string;
  fix: string;
}
