import { Unseen } from '../../parts/small.tsx';
import { sort, sortBy } from './list-state.ts';
import { isDown, type SortKey } from './sort.ts';

type Sorts = readonly (readonly [by: SortKey, label: string, sub?: string])[];

const COLUMNS: readonly { name: string; sorts: Sorts; label?: string }[] = [
  {
    name: 'c-state',
    sorts: [
      ['state', 'State'],
      ['since', 'Since'],
    ],
  },
  {
    name: 'c-name',
    sorts: [
      ['name', 'Program'],
      ['user', 'User'],
    ],
  },
  { name: 'c-why', sorts: [], label: 'What is going on' },
  { name: 'c-cpu num', sorts: [['cpu', 'CPU', 'in % of its limit']] },
  { name: 'c-mem num', sorts: [['mem', 'Memory', 'in Mi, of its limit']] },
  { name: 'c-restarts num', sorts: [['restarts', 'Restarts']] },
  { name: 'c-rev', sorts: [['rev', 'Revision']] },
  { name: 'c-port', sorts: [['port', 'Port']] },
];

/** The heads of the columns, by which the list is sorted. */
export function Head() {
  const now = sort.value;
  const isGoingDown = isDown(now);
  return (
    <div class="head" role="row">
      {COLUMNS.map(({ name, sorts, label }) => {
        const isSorted = sorts.some(([by]) => by === now.by);
        return (
          <div
            key={name}
            class={name}
            role="columnheader"
            aria-sort={isSorted ? (isGoingDown ? 'descending' : 'ascending') : undefined}
          >
            {label !== undefined && <span>{label}</span>}
            {sorts.map(([by, text, sub]) => (
              <button
                key={by}
                type="button"
                class={`sort${by === now.by ? ' on' : ''}`}
                data-by={by}
                title={sub === undefined ? undefined : `${text}, ${sub}`}
                onClick={() => sortBy(by)}
              >
                {text}
                {sub !== undefined && <Unseen>, {sub}</Unseen>}
                <span class="order" aria-hidden="true">
                  {by === now.by ? (isGoingDown ? ' ↓' : ' ↑') : ''}
                </span>
              </button>
            ))}
          </div>
        );
      })}
      <div class="c-act" role="columnheader">
        <Unseen>Actions</Unseen>
      </div>
    </div>
  );
}
