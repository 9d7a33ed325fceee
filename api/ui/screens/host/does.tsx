import type { HostView } from '../../../../schemas/host-view.ts';
import { Copy } from '../../parts/copy.tsx';
import { Glyph, Sign } from '../../parts/glyph.tsx';
import { Unseen } from '../../parts/small.tsx';
import { Time, Unknown } from '../../parts/time.tsx';
import { names, programOf } from '../../state/programs.ts';
import { href, programHref } from '../../state/route.ts';
import { usageOf } from '../../state/usage.ts';
import { count, mebi, msOf, plural, size } from '../../words/span.ts';
import { Share } from './has.tsx';
import { kindWords, known, sorted, total, whyNoSize } from './kinds.ts';
import { Pairs, Part } from './pairs.tsx';

/** What the host does and holds: work, disk, users. */

export function WorkPart({ work }: { work: HostView['work'] }) {
  const { waiting, operations, images } = work;
  const running = images.filter((one) => one.running).length;
  return (
    <Part title="Work">
      <Pairs
        list={[
          [
            'Queue',
            waiting === 0
              ? 'no program waits to be looked at'
              : `${plural(waiting, 'program')} to be looked at`,
          ],
          [
            'Containers',
            `${operations.running} of ${operations.max} places${operations.waiting > 0 ? `, ${operations.waiting} wait` : ''}`,
          ],
        ]}
      />
      <h3>
        Builds and pulls
        <span class="n">
          {images.length === 0 ? 'none' : `${running} run, ${images.length - running} wait`}
        </span>
      </h3>
      {images.length > 0 && (
        <div class="table builds" role="table" aria-label="Builds and pulls">
          {images.map(({ key, programs, running: isRunning }) => (
            <div key={key} class="build-row" role="row">
              <div role="cell">
                <Glyph state={isRunning ? 'Building' : 'Created'} role={isRunning ? 'busy' : 'rest'} />
                <span>
                  {programs.map((name, at) => (
                    <span key={name}>
                      {at > 0 && ', '}
                      <a href={programHref(name, { tab: 'build' })}>{name}</a>
                    </span>
                  ))}
                </span>
              </div>
              <div class="mono" role="cell">
                {key}
              </div>
              <div class="num note" role="cell">
                {isRunning ? 'runs' : 'waits for a place'}
              </div>
            </div>
          ))}
        </div>
      )}
    </Part>
  );
}

export function DiskPart({ disk }: { disk: HostView['disk'] }) {
  if (disk === null)
    return (
      <Part title="Disk">
        <p>
          <Unknown why="the first look comes half a minute after the start" /> The host has not looked yet:
          its first look comes half a minute after its start.
        </p>
      </Part>
    );
  const kinds = sorted(disk.kinds);
  const all = total(kinds);
  const most = Math.max(1, ...kinds.map(({ bytes }) => bytes ?? 0));
  return (
    <Part title="Disk">
      <p>
        <b>{size(all.bytes)}</b>
        {!all.isAll && ' and what is not measured'}, as the last look for what can go found it{' '}
        <Time at={msOf(disk.looked_at)} />.
      </p>
      <div class="table disk" role="table" aria-label="Disk by kind">
        <div class="disk-row disk-head" role="row">
          <div role="columnheader">Kind</div>
          <div class="num" role="columnheader">
            Size
          </div>
          <div role="columnheader">
            <Unseen>share</Unseen>
          </div>
          <div class="num" role="columnheader">
            Things
          </div>
          <div role="columnheader">
            <Unseen>note</Unseen>
          </div>
        </div>
        {kinds.map(({ kind, bytes, count: things }) => (
          <div key={kind} class="disk-row" role="row">
            <div role="cell">{kindWords(kind).label}</div>
            <div class="num" role="cell">
              {bytes === null ? <Unknown why={whyNoSize(kind)} /> : size(bytes)}
            </div>
            <div role="cell">{bytes !== null && <Share part={bytes / most} />}</div>
            <div class="num" role="cell">
              {count(things)}
            </div>
            <div class="note" role="cell">
              {kindWords(kind).note}
            </div>
          </div>
        ))}
      </div>
      <p class="note">
        Docker’s own build cache and images of others are not counted: <Copy text="docker system df" />
      </p>
    </Part>
  );
}

export function UsersPart({ users }: { users: HostView['users'] }) {
  const now = memoryByUser();
  return (
    <Part title="Users">
      {users.length === 0 && <p>There is no program yet.</p>}
      {users.length > 0 && (
        <div class="table users" role="table" aria-label="Users">
          <div class="user-row disk-head" role="row">
            <div role="columnheader">User</div>
            {['Programs', 'Down', 'Memory now', 'of limits', 'CPU limits'].map((title) => (
              <div key={title} class="num" role="columnheader">
                {title}
              </div>
            ))}
          </div>
          {users.map((user) => (
            <div key={user.user_id} class="user-row" role="row">
              <div role="cell">
                <a href={href('', { q: `user:${user.user_id}` })}>
                  {user.user_id === '' ? '(none)' : user.user_id}
                </a>
              </div>
              <div class="num" role="cell">
                {count(user.programs)}
              </div>
              <div class={`num${user.down > 0 ? ' is-bad' : ''}`} role="cell">
                {user.down > 0 && <Sign role="bad" />} {count(user.down)}
              </div>
              <div class="num" role="cell">
                <Memory of={known(now.get(user.user_id) ?? [])} programs={user.programs} />
              </div>
              <div class="num note" role="cell">
                {mebi(user.memory_limit_bytes)}
              </div>
              <div class="num note" role="cell">
                {Number(user.cpu_limit.toFixed(2))}
              </div>
            </div>
          ))}
        </div>
      )}
    </Part>
  );
}

function Memory({ of: found, programs }: { of: ReturnType<typeof known>; programs: number }) {
  if (found === null) return <Unknown why="no program of theirs runs, or it is not known what they use" />;
  return (
    <span title={`of ${found.of} of ${plural(programs, 'program')}: the others do not run`}>
      {mebi(found.sum)}
    </span>
  );
}

/** What each program uses now, by user. */
function memoryByUser(): Map<string, (number | null | undefined)[]> {
  const found = new Map<string, (number | null | undefined)[]>();
  for (const name of names.value) {
    const user = programOf(name)?.value.user_id ?? '';
    found.set(user, [...(found.get(user) ?? []), usageOf(name).value?.memory_bytes]);
  }
  return found;
}
