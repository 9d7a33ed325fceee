import { Button } from '../../parts/button.tsx';
import { Keys } from '../../parts/small.tsx';
import { count, plural } from '../../words/span.ts';
import type { Hold } from './hold.ts';
import type { ListModel } from './list-model.ts';
import { sort } from './list-state.ts';

/** How many are shown, and whether any would stand elsewhere by now. */
export function ListFoot({ model, hold }: { model: ListModel; hold: Hold }) {
  const { total, matching } = model.view.value ?? { total: 0, matching: 0 };
  const moved = model.moved.value.size;
  const again = () => {
    model.sortAgain();
    // The button goes; who used it by keyboard goes on at the head of the column.
    document.querySelector<HTMLElement>(`.sort[data-by="${sort.peek().by}"]`)?.focus({ preventScroll: true });
  };
  return (
    <div class="list-foot" {...hold}>
      <p class="foot">
        <span>{matching === total ? `All ${count(total)}` : `${count(matching)} of ${count(total)}`}</span>
        <span class="hint">
          <Keys keys="j k" /> move <Keys keys="Enter" /> opens <Keys keys="/" /> searches <Keys keys="?" />{' '}
          all keys
        </span>
      </p>
      {moved > 0 && (
        <Button kind="text moved" onClick={again}>
          {plural(moved, 'row has', 'rows have')} changed place: sort again
        </Button>
      )}
    </div>
  );
}
