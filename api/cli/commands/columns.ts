import type { NamedEventBody } from '../../client.ts';
import type { ConditionBody, RevisionBody } from '../host/bodies.ts';
import { ageOf } from '../io/duration.ts';
import type { Column } from '../output/table.ts';

type EventRow = Omit<NamedEventBody, 'program_id'> & { program_id?: string };

/** What happened. @param isNamed where it is of several programs */
export function eventColumns(isNamed: boolean, now: () => number): Column<EventRow>[] {
  const colour = ({ type }: EventRow) => (type === 'Warning' ? 'yellow' : undefined);
  const columns: Column<EventRow>[] = [
    { head: 'AGE', text: ({ time }) => ageOf(time, now()) },
    { head: 'TYPE', spare: 2, text: ({ type }) => type, colour },
    { head: 'REASON', text: ({ reason }) => reason, colour },
    { head: 'BY', spare: 3, text: ({ author }) => author || '-' },
    // Of a build that failed its output follows.
    { head: 'MESSAGE', text: ({ message }) => message.split('\n', 1)[0] ?? '' },
  ];
  if (!isNamed) return columns;
  const name: Column<EventRow> = {
    head: 'PROGRAM',
    cut: 'middle',
    text: ({ program_id }) => program_id ?? '',
  };
  return [...columns.slice(0, 1), name, ...columns.slice(1)];
}

export function revisionColumns(now: () => number): Column<RevisionBody>[] {
  return [
    { head: 'REVISION', text: ({ revision, current }) => `${revision}${current ? ' *' : ''}` },
    { head: 'AGE', text: ({ created_at }) => ageOf(created_at, now()) },
    {
      ...{ head: 'OUTCOME', text: ({ outcome }) => outcome },
      colour: ({ outcome }) => (outcome === 'Failed' ? 'red' : outcome === 'Ready' ? 'green' : 'dim'),
    },
    { head: 'BY', spare: 2, text: ({ author }) => author || '-' },
    { head: 'COMMIT', spare: 3, text: ({ commit }) => commit.slice(0, 8) || '-' },
    { head: 'BUILD', spare: 4, cut: 'middle', text: ({ build_id, spec }) => build_id || imageOf(spec) },
    { head: 'MESSAGE', spare: 1, text: ({ message }) => message || '-' },
  ];
}

function imageOf({ image }: Record<string, unknown>): string {
  return typeof image === 'string' ? image : '-';
}

export function conditionColumns(now: () => number): Column<ConditionBody>[] {
  return [
    { head: 'TYPE', text: ({ type }) => type },
    { head: 'STATUS', text: ({ status }) => status },
    { head: 'REASON', text: ({ reason }) => reason },
    { head: 'SINCE', spare: 1, text: ({ last_transition_time }) => ageOf(last_transition_time, now()) },
    { head: 'MESSAGE', text: ({ message }) => message || '-' },
  ];
}
