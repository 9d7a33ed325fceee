import type { ProgramBody } from '../host/bodies.ts';
import { ageOf } from '../io/duration.ts';
import { stateColour } from '../output/paint.ts';
import type { Column } from '../output/table.ts';

/** A program as a row; `isGone`: it was there a moment ago. */
export interface ProgramRow {
  program: ProgramBody;
  isGone: boolean;
}

/** What `get` shows of programs. */
export function programColumns(isWide: boolean, now: () => number): Column<ProgramRow>[] {
  const of = (text: (program: ProgramBody) => string) => (row: ProgramRow) => text(row.program);
  const state = ({ program, isGone }: ProgramRow) => (isGone ? 'Deleted' : program.state);
  const columns: Column<ProgramRow>[] = [
    { head: 'NAME', cut: 'middle', text: of(({ program_id }) => program_id) },
    { head: 'STATE', text: state, colour: (row) => stateColour(state(row)) },
    {
      ...{ head: 'REASON', spare: 7, text: of(reasonOf) },
      colour: ({ program: { reason, paused } }) => (paused ? 'yellow' : reason === '' ? 'dim' : 'red'),
    },
    { head: 'RESTARTS', spare: 8, text: of(({ restart_count }) => String(restart_count)) },
    { head: 'AGE', spare: 6, text: of(({ created_at }) => ageOf(created_at, now()) || '-') },
    { head: 'URL', spare: 9, cut: 'middle', text: of(({ proxy_url }) => proxy_url || '-') },
  ];
  if (!isWide) return columns;
  // What was asked for by name of the form stays longest.
  return [
    ...columns,
    { head: 'USER', spare: 1, text: of(({ user_id }) => user_id || '-') },
    { head: 'REVISION', spare: 2, text: of(revisionOf) },
    { head: 'BUILD', spare: 3, cut: 'middle', text: of(({ build_id }) => build_id || '-') },
    { head: 'CONTAINER', spare: 4, text: of(({ container_id }) => container_id.slice(0, 12) || '-') },
    { head: 'COMMIT', spare: 5, text: of(({ commit }) => (commit ?? '').slice(0, 8) || '-') },
  ];
}

/** With that it is paused before all else. */
function reasonOf({ reason, paused }: ProgramBody): string {
  const words = [paused ? 'Paused' : '', reason === 'Paused' ? '' : reason];
  return words.filter((word) => word !== '').join(', ') || '-';
}

/** `3`, or `3→4` while another is wanted. */
export function revisionOf({ revision, wanted_revision }: ProgramBody): string {
  const isOther = wanted_revision !== 0 && wanted_revision !== revision;
  return isOther ? `${revision}→${wanted_revision}` : String(revision);
}
