import type { RevisionView } from '../../../program-answers.ts';
import type { EventBody } from '../../words/event-body.ts';
import { msOf } from '../../words/span.ts';

/** Something that somebody changed or asked for. */
export interface Change {
  at: number;
  text: string;
  /** Of the event or the revision; `""` where nobody is named. */
  author: string;
}

/** Events that are a change though nobody may be named, in words. */
const WORDS: Record<string, string> = {
  ManifestChanged: 'manifest changed',
  SourcesChanged: 'sources changed',
  ManifestReplaced: 'manifest replaced',
  SourcesReplaced: 'sources replaced',
  StartRequested: 'start asked for',
  StopRequested: 'stop asked for',
  RestartRequested: 'restart asked for',
  RollbackRequested: 'roll back asked for',
  DeleteRequested: 'deletion asked for',
  PullRequested: 'pull asked for',
  Pulled: 'image pulled',
  ImageChanged: 'image changed',
  Drifted: 'container changed by hand',
  PortReassigned: 'port changed',
};

/** A revision that begins so soon behind a change is what came of it, in milliseconds. */
const OF_CHANGE_MS = 10_000;

/** What was changed, oldest first: by events, and by revisions where no event tells of what brought them. */
export function changesOf(events: readonly EventBody[], revisions: readonly RevisionView[]): Change[] {
  const told = events.flatMap((event): Change[] => {
    const at = msOf(event.time);
    const word = WORDS[event.reason];
    if (at === undefined || (word === undefined && event.author === undefined)) return [];
    const commit = / commit ([0-9a-f]{7,64})$/.exec(event.message)?.[1];
    const what = commit === undefined ? (word ?? event.reason) : `commit ${commit.slice(0, 7)}`;
    const { author = '' } = event;
    return [{ at, text: author === '' ? what : `${what} by ${author}`, author }];
  });
  const begun = revisions.flatMap(({ revision, created_at, author, commit }): Change[] => {
    const at = msOf(created_at);
    if (at === undefined || told.some((one) => one.at <= at && at - one.at < OF_CHANGE_MS)) return [];
    const from = commit === '' ? '' : `, commit ${commit.slice(0, 7)}`;
    return [{ at, text: `r${revision} begins${from}${author === '' ? '' : ` by ${author}`}`, author }];
  });
  const all = [...told, ...begun].sort((a, b) => a.at - b.at);
  // One commit that changes both manifest and sources is one change.
  return all.filter((one, at) => {
    const before = all[at - 1];
    return before === undefined || before.text !== one.text || one.at - before.at > OF_CHANGE_MS;
  });
}
