import { useSignalEffect } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { Unseen } from '../../parts/small.tsx';
import { host } from '../../state/host.ts';
import { href } from '../../state/route.ts';
import { stream } from '../../state/stream.ts';
import { EmptyList } from './empty-list.tsx';
import { FilterBox } from './filter-box.tsx';
import { ListFoot } from './foot.tsx';
import { useHold } from './hold.ts';
import { useListKeys } from './list-keys.ts';
import type { ListModel } from './list-model.ts';
import { away, openList } from './list-state.ts';
import { Summary } from './summary.tsx';
import { Table } from './table.tsx';

/** All programs, live. */
export function ListScreen() {
  const model = useMemo(openList, []);
  useEffect(() => model.close, [model]);
  useSignalEffect(() => {
    const { counts } = model.view.value ?? {};
    const down = counts === undefined || counts.down === 0 ? '' : `(${counts.down} down) `;
    const name = host.value?.name ?? '';
    document.title = `${down}Programs${name === '' ? '' : ` · ${name}`}`;
  });
  const total = model.view.value?.total;
  if (total === undefined) return <Waiting />;
  return total === 0 ? <EmptyList /> : <List model={model} />;
}

/** Before the first list nothing is shown that would go again at once; where none comes, why. */
function Waiting() {
  const now = stream.value;
  return (
    <>
      <h1>
        <Unseen>Programs</Unseen>
      </h1>
      {now.state === 'lost' && (
        <p class="note">There is no list yet: {now.why}. It is asked for again by itself.</p>
      )}
    </>
  );
}

function List({ model }: { model: ListModel }) {
  useListKeys();
  const hold = useHold(model);
  const stale = away.value === '' ? '' : ' stale';
  return (
    <>
      <div class={`list-top${stale}`}>
        <h1 class="hidden">Programs</h1>
        <Summary model={model} />
        <FilterBox model={model} />
        <a class="button primary new" href={href('/deploy')}>
          Deploy
        </a>
      </div>
      <Table model={model} hold={hold} />
      <ListFoot model={model} hold={hold} />
    </>
  );
}
