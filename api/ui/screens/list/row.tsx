import type { ReadonlySignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { ProgramBody } from '../../../routes/view.ts';
import { programMenu } from '../../parts/acts.tsx';
import { Button } from '../../parts/button.tsx';
import { State } from '../../parts/glyph.tsx';
import { Menu } from '../../parts/menu.tsx';
import { programHref } from '../../state/route.ts';
import { isTrouble, roleOf } from '../../words/kind.ts';
import { sinceOf } from '../../words/since.ts';
import { exactTime } from '../../words/span.ts';
import { PortCell, RestartsCell, RevisionCell } from './cells.tsx';
import { CpuCell, MemoryCell } from './figures.tsx';
import { turned } from './filter.ts';
import { query, setQuery } from './list-state.ts';
import type { Item } from './order.ts';
import { seen } from './seen.ts';
import { Ticking } from './ticking.tsx';
import { Why } from './why.tsx';

interface Props {
  item: Item;
  /** Whether more is to be drawn than its name. */
  isFilled: boolean;
  /** Whether it is near to what is seen: what changes by itself stands still elsewhere. */
  isNear: ReadonlySignal<boolean>;
  /** `gone`, `has-moved`, or `""`. */
  mark: string;
}

/** A program in the list: one line where it is well, two where it is not. Draws itself when its program changes. */
export function Row({ item, isFilled, isNear, mark }: Props) {
  const p = item.program.value;
  const { kind } = seen(p);
  // Its height is that of its place: what stands below does not move until the list is sorted again.
  const isTall = isTrouble(item.kind);
  const height = isTall === isTrouble(kind) ? '' : isTall ? ' tall' : ' low';
  const isGone = mark === 'gone';
  const row = useRef<HTMLDivElement>(null);
  // Its acts go, and the focus that was on them would be nowhere.
  const isLeft = isGone && row.current?.querySelector('.c-act')?.contains(document.activeElement) === true;
  useLayoutEffect(() => {
    if (isLeft) row.current?.querySelector<HTMLElement>('a.name')?.focus();
  }, [isLeft]);
  return (
    <div
      ref={row}
      class={`row ${kind}${height}${mark === '' ? '' : ' has-moved'}`}
      role="row"
      data-id={item.name}
    >
      {isFilled && <StateCell p={p} isNear={isNear} />}
      <NameCell name={item.name} user={p.user_id} />
      {isFilled && (
        <>
          <div class="c-why" role="cell">
            {isGone ? <span class="note">It is not there any more</span> : <Why {...{ p, isTall, isNear }} />}
          </div>
          <CpuCell name={item.name} limit={p.limits?.cpus ?? null} isNear={isNear} />
          <MemoryCell name={item.name} limit={p.limits?.memory_bytes ?? null} isNear={isNear} />
          <RestartsCell total={p.restart_count} recent={p.restarts_last_hour} isTall={isTall} />
          <RevisionCell p={p} isTall={isTall} />
          <PortCell p={p} />
          <div class="c-act" role="cell">
            {!isGone && (
              <>
                <a
                  class="button quiet logs"
                  href={programHref(item.name, { tab: 'logs' })}
                  aria-label={`Logs of ${item.name}`}
                >
                  Logs
                </a>
                <Menu
                  label={`More for ${item.name}`}
                  items={() => programMenu(item.program.peek(), { isList: true })}
                />
              </>
            )}
          </div>
        </>
      )}
    </div>
  );
}

function StateCell({ p, isNear }: { p: ProgramBody; isNear: ReadonlySignal<boolean> }) {
  const { at, says } = sinceOf(p);
  return (
    <div class="c-state" role="cell">
      <State state={p.state} role={roleOf(p.state, seen(p).kind)} />
      {at !== undefined && (
        <Ticking at={at} how="for" isNear={isNear} kind="since" title={`${says} ${exactTime(at)}`} />
      )}
    </div>
  );
}

/** Longer names are cut in the middle: both ends tell them apart. */
const WHOLE_MAX = 26;
const END = 9;

function NameCell({ name, user }: { name: string; user: string }) {
  const cut = name.length > WHOLE_MAX ? name.length - END : name.length;
  const token = `user:${user}`;
  return (
    <div class="c-name" role="cell">
      {cut === name.length ? (
        <a class="name whole" href={programHref(name)} title={name}>
          {name}
        </a>
      ) : (
        <a class="name" href={programHref(name)} title={name}>
          <span class="id-front">{name.slice(0, cut)}</span>
          <span class="id-back">{name.slice(cut)}</span>
        </a>
      )}
      {user !== '' && (
        <Button
          kind="text user"
          title={`Only programs of ${user}`}
          onClick={() => setQuery({ tokens: turned(query.peek().tokens, token), words: query.peek().words })}
        >
          {user}
        </Button>
      )}
    </div>
  );
}
