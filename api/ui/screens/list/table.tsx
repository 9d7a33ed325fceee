import { type ReadonlySignal, useComputed, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Button } from '../../parts/button.tsx';
import { KINDS } from '../../words/kind.ts';
import { count } from '../../words/span.ts';
import { BLOCK_ROWS, type Block } from './blocks.ts';
import { filling } from './fill.ts';
import { Head } from './head.tsx';
import type { Hold } from './hold.ts';
import type { ListModel } from './list-model.ts';
import { away, setQuery } from './list-state.ts';
import { watchNear } from './near.ts';
import type { Group, Item } from './order.ts';
import { Row } from './row.tsx';

/** Blocks that begin within so many rows are drawn whole from the first: what is seen before anything is scrolled. */
const ROWS_AT_ONCE = 48;

/** The rows of the list. While pointer or focus is in it, rows stay where they are. */
export function Table({ model, hold }: { model: ListModel; hold: Hold }) {
  const { groups = [] } = model.view.value ?? {};
  let before = 0;
  return (
    <div class={`table programs${away.value === '' ? '' : ' stale'}`} role="table" aria-label="Programs">
      <div class="thead" role="rowgroup">
        <Head />
      </div>
      <div class="tbody" role="presentation" {...hold}>
        {groups.map((group) => {
          const first = before;
          before += group.count;
          return <Rows key={group.kind ?? 'all'} group={group} first={first} model={model} />;
        })}
        {groups.length === 0 && <NoMatch />}
      </div>
    </div>
  );
}

/** @param props.first how many rows stand before */
function Rows({ group, first, model }: { group: Group; first: number; model: ListModel }) {
  const { kind, blocks } = group;
  let before = first;
  const about = KINDS.find((one) => one.kind === kind);
  return (
    <>
      {about && (
        <div role="rowgroup">
          <div class={`group ${about.kind}`} role="row">
            <div role="rowheader" title={about.says}>
              {about.title}
              <span class="n">{count(group.count)}</span>
            </div>
          </div>
        </div>
      )}
      {blocks.map((block) => {
        const isFirst = before < ROWS_AT_ONCE;
        before += block.items.length;
        return <RowBlock key={block.id} {...{ block, isFirst, model }} />;
      })}
    </>
  );
}

/**
 * A row is born with its name alone: enough for find-in-page, for the keyboard and for its height. The rest is filled
 * in, a few blocks a frame, shortly before they come into sight. So a thousand rows cost what a screenful costs.
 */
function RowBlock({ block, isFirst, model }: { block: Block<Item>; isFirst: boolean; model: ListModel }) {
  const place = useRef<HTMLDivElement>(null);
  const isNear = useSignal(isFirst);
  const isFilled = useSignal(isFirst);
  useEffect(() => {
    if (place.current === null) return;
    let callOff = () => {};
    const leave = watchNear(place.current, (isIn) => {
      isNear.value = isIn;
      callOff();
      if (isIn && !isFilled.peek()) {
        callOff = filling.soon(() => {
          isFilled.value = true;
        });
      }
    });
    return () => {
      leave();
      callOff();
    };
  }, []);
  return (
    <div
      ref={place}
      class={`block${block.items.length * 2 > BLOCK_ROWS ? ' full' : ''}`}
      role="rowgroup"
      style={{ '--rows': String(block.items.length) }}
    >
      {block.items.map((item) => (
        <PlacedRow key={item.name} {...{ item, model, isNear }} isFilled={isFilled.value} />
      ))}
    </div>
  );
}

interface Placed {
  item: Item;
  isFilled: boolean;
  isNear: ReadonlySignal<boolean>;
  model: ListModel;
}

function PlacedRow({ item, isFilled, isNear, model }: Placed) {
  const mark = useComputed(() =>
    model.gone.value.has(item.name) ? 'gone' : model.moved.value.has(item.name) ? 'has-moved' : '',
  );
  return <Row {...{ item, isFilled, isNear }} mark={mark.value} />;
}

function NoMatch() {
  return (
    <div role="rowgroup">
      <div class="nothing" role="row">
        <div role="cell">
          <p>
            <b>No program matches. </b>The filter stays until you change it.
          </p>
          <p>
            <Button onClick={() => setQuery({ tokens: [], words: [] })}>Clear the filter</Button>
          </p>
        </div>
      </div>
    </div>
  );
}
