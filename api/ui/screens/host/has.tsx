import type { HostView } from '../../../../schemas/host-view.ts';
import { Glyph, Sign } from '../../parts/glyph.tsx';
import { Mono } from '../../parts/small.tsx';
import { Time, Unknown } from '../../parts/time.tsx';
import { count, msOf } from '../../words/span.ts';
import { Pairs, Part } from './pairs.tsx';

/** What the host has: engine, git, itself. */

export function EnginePart({ engine }: { engine: HostView['engine'] }) {
  const { message, version, runtimes, default_runtime: wanted } = engine;
  const why = message === '' ? 'the engine does not answer' : message;
  return (
    <Part title="Engine">
      <Pairs
        list={[
          [
            'Docker',
            version === null ? (
              <span class="is-bad">
                <Sign role="bad" /> does not answer: {why}
              </span>
            ) : (
              <>
                <span class="ok">
                  <Glyph state="Ready" role="good" />
                  answers
                </span>{' '}
                {version}
              </>
            ),
          ],
          ['Runtimes', runtimes === null ? <Unknown why={why} /> : runtimes.join(', ')],
          ['Programs that name none', <Default key="default" {...{ runtimes, wanted }} />],
        ]}
      />
    </Part>
  );
}

function Default({ runtimes, wanted }: { runtimes: readonly string[] | null; wanted: string }) {
  if (runtimes === null || runtimes.includes(wanted)) return <>run with {wanted}</>;
  return (
    <>
      <span class="ok">
        <Sign role="warn" />
        {wanted}
      </span>{' '}
      is not registered with Docker: they can not start
    </>
  );
}

export function GitPart({ git }: { git: HostView['git'] }) {
  if (git === null)
    return (
      <Part title="Git">
        <p>The registry is in no git work tree. Manifests are what the files are.</p>
      </Part>
    );
  const { remote, head, branch, operation } = git;
  return (
    <Part title="Git">
      <Pairs
        list={[
          [
            'HEAD here',
            head === '' ? (
              <Unknown why="there is no commit yet" />
            ) : (
              <Mono title={head}>{head.slice(0, 12)}</Mono>
            ),
          ],
          ['Branch', branch === '' ? 'none: HEAD is detached' : <Mono>{branch}</Mono>],
          ...(operation === '' ? [] : [['In the middle of', operation] as const]),
          ['Remote', remote === null ? 'none is followed' : <Mono>{remote.url}</Mono>],
          ...(remote === null ? [] : [['Followed', <Followed key="followed" remote={remote} />] as const]),
        ]}
      />
    </Part>
  );
}

function Followed({ remote }: { remote: NonNullable<NonNullable<HostView['git']>['remote']> }) {
  const { branch, reason, message } = remote;
  if (reason === '')
    return (
      <>
        <span class="ok">
          <Glyph state="Ready" role="good" />
          its branch
        </span>{' '}
        <Mono>{branch}</Mono>
      </>
    );
  return (
    <>
      <span class="ok">
        <Sign role="warn" />
        not now
      </span>{' '}
      {reason}: {message}
    </>
  );
}

export function SelfPart({ host }: { host: HostView }) {
  return (
    <Part title="This host">
      <Pairs
        list={[
          ['Version', host.version],
          ['Up', <Time key="up" at={msOf(host.started_at)} how="for" />],
          ['Process', String(host.pid)],
          ['Registry', <Mono key="registry">{host.registry}</Mono>],
          ['Instance', <Mono key="instance">{host.instance}</Mono>],
          [
            'For machines',
            <>
              <a href="/metrics">/metrics</a>, <a href="/readyz">/readyz</a>,{' '}
              <a href="/openapi.json">/openapi.json</a>, and for people <a href="/docs">/docs</a>
            </>,
          ],
        ]}
      />
    </Part>
  );
}

export function PortsPart({ ports }: { ports: HostView['ports'] }) {
  const all = ports.max - ports.min + 1;
  return (
    <Part title="Ports">
      <p>
        <b>{count(ports.held)}</b> of {count(all)} held by programs.
      </p>
      <div class="ports">
        <Share part={ports.held / all} />
        <span class="note">{ports.min}</span>
        <span class="note">{ports.max}</span>
      </div>
    </Part>
  );
}

/** A part of a whole, as a bar. @param part 0 to 1 */
export function Share({ part }: { part: number }) {
  const width = part === 0 ? 0 : Math.min(100, Math.max(0.6, part * 100));
  return (
    <svg class="meter" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
      <rect class="meter-back" x="0" y="0" width="100" height="8" />
      <rect class="meter-bar" x="0" y="0" width={width} height="8" />
    </svg>
  );
}
