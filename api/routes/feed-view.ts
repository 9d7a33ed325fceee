import type { NamedEvent } from '../../schemas/program.ts';
import { seesUser, type Who } from '../../schemas/token.ts';
import type { ProgramStore } from '../deps.ts';
import type { ProgramView } from '../program-answers.ts';
import { type FeedEntry, frameOf } from './feed-log.ts';
import { type FeedMark, idOf } from './feed-mark.ts';

/** What of the feed a listener is told. */
export interface FeedView {
  has(program: ProgramView): boolean;
  /** Of a program that is gone nobody knows any more whose it was. */
  hasEvent(event: NamedEvent): boolean;
  /** `""` for what is not told. */
  frameOf(entry: FeedEntry): string;
  /** Ids of messages hold names of programs. */
  markOf(mark: FeedMark): FeedMark;
}

const ALL: FeedView = {
  has: () => true,
  hasEvent: () => true,
  frameOf: ({ frame }) => frame,
  markOf: (mark) => mark,
};

/** Everything, but for those who may know of programs of one user alone. */
export function viewFor(who: Who | undefined, programs: Pick<ProgramStore, 'get'>): FeedView {
  if (who?.role !== 'user') return ALL;
  const has = ({ owner }: ProgramView) => seesUser(who, owner);
  const isSeen = (name: string) => {
    const program = programs.get(name);
    return program !== undefined && has(program);
  };
  const markOf = (mark: FeedMark) => ({
    ...mark,
    names: new Map([...mark.names].filter(([name]) => isSeen(name))),
  });
  return {
    has,
    hasEvent: ({ name }) => isSeen(name),
    frameOf({ userId, type, data, mark }) {
      if (data === '' || userId !== who.userId) return '';
      return frameOf(type, data, idOf(markOf(mark)));
    },
    markOf,
  };
}
