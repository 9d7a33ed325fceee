/** What a program's page and the list offer to do. */
export type ActName =
  | 'start'
  | 'startNow'
  | 'stop'
  | 'restart'
  | 'tryAgain'
  | 'buildAgain'
  | 'rollBack'
  | 'toManifest'
  | 'toSources'
  | 'toRevisions'
  | 'toHost';
