import { computed } from '@preact/signals';
import { announce } from '../../state/announce.ts';
import { engineAway } from '../../state/host.ts';
import { changes, isLoaded, names, programOf } from '../../state/programs.ts';
import { params, setParams } from '../../state/route.ts';
import { partOf, usageOf } from '../../state/usage.ts';
import { parseQuery, type Query, queryText } from './filter.ts';
import { createListModel, type ListModel } from './list-model.ts';
import type { Figures } from './seen.ts';
import { type SortKey, sortOf, sortText } from './sort.ts';

/** The list over what the host tells, with filter and order out of the URL. */

const queryInUrl = computed(() => params.value.get('q') ?? '');
const sortInUrl = computed(() => params.value.get('sort') ?? '');
export const query = computed(() => parseQuery(queryInUrl.value));
export const sort = computed(() => sortOf(sortInUrl.value));
/** Why the engine is away, `""` while it is there: changes only when that does. */
export const away = computed(engineAway);

export function setQuery(next: Query): void {
  setParams({ q: queryText(next) });
}

export function sortBy(by: SortKey): void {
  setParams({ sort: sortText(sort.peek(), by) });
}

export function figuresOf(name: string): Figures {
  const usage = usageOf(name).value;
  return {
    cpu: partOf(usage?.cpu, usage?.cpu_limit),
    memory: partOf(usage?.memory_bytes, usage?.memory_limit_bytes),
  };
}

/** For as long as the screen is there. */
export function openList(): ListModel {
  return createListModel({
    ...{ isLoaded, names, changes, programOf, figuresOf, query, sort },
    later(run, ms) {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
    nowMs: () => performance.now(),
    onNews: announce,
  });
}
