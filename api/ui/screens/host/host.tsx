import { useEffect } from 'preact/hooks';
import { Button } from '../../parts/button.tsx';
import { Glyph } from '../../parts/glyph.tsx';
import { showKeys } from '../../parts/key-list.tsx';
import { askHost, engineAway, host, hostRefusal } from '../../state/host.ts';
import { isSignedIn, signOut } from '../../state/session.ts';
import { stream } from '../../state/stream.ts';
import { DiskPart, UsersPart, WorkPart } from './does.tsx';
import { EnginePart, GitPart, PortsPart, SelfPart } from './has.tsx';
import { Pruned, Warnings } from './warnings.tsx';

/** The host. What needs a word stands first; then what it has, does and holds. */
export function HostScreen() {
  const view = host.value;
  const needs = view?.warnings.length ?? 0;
  useEffect(() => void askHost(), []);
  useEffect(() => {
    document.title = `${needs > 0 ? `(${needs}) ` : ''}Host · ${view?.name ?? 'Hersh Host'}`;
  }, [needs, view?.name]);
  if (view === undefined)
    return (
      <>
        <h1 class="page-title">Host</h1>
        <p>
          {stream.value.state === 'lost'
            ? 'The host does not answer. It is asked again by itself.'
            : hostRefusal.value || 'The host is being asked…'}
        </p>
      </>
    );
  return (
    <>
      <h1 class="page-title">{view.name}</h1>
      {needs > 0 ? (
        <Warnings host={view} />
      ) : (
        <>
          <Pruned />
          {engineAway() === '' && (
            <p class="all-well">
              <Glyph state="Ready" role="good" />
              <span>
                <b>Nothing needs a word.</b> The host has no warning to tell.
              </span>
            </p>
          )}
        </>
      )}
      <div class="parts">
        <div class="col">
          <EnginePart engine={view.engine} />
          <GitPart git={view.git} />
          <SelfPart host={view} />
        </div>
        <div class="col">
          <WorkPart work={view.work} />
          <DiskPart disk={view.disk} />
          <PortsPart ports={view.ports} />
          <UsersPart users={view.users} />
        </div>
      </div>
      <p class="sign-out-row">
        <Button onClick={showKeys}>Keys</Button>
        {isSignedIn() && <Button onClick={() => void signOut()}>Sign out</Button>}
      </p>
    </>
  );
}
