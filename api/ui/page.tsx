import { AwayBand } from './parts/away-band.tsx';
import { Bar } from './parts/bar.tsx';
import { DialogPlace } from './parts/dialog.tsx';
import { showKeys } from './parts/key-list.tsx';
import { DeployScreen } from './screens/deploy/deploy.tsx';
import { HostScreen } from './screens/host/host.tsx';
import { ListScreen } from './screens/list/list.tsx';
import { ProgramScreen } from './screens/program/program.tsx';
import { ReasonsScreen } from './screens/reasons/reasons.tsx';
import { SignInScreen } from './screens/signin/signin.tsx';
import { announced } from './state/announce.ts';
import { useKeys } from './state/keys.ts';
import { go, href, path } from './state/route.ts';
import { isSignedOut } from './state/session.ts';
import { turnTheme } from './state/theme.ts';

/** The whole page: the bar, and the screen that the URL names. */
export function Page() {
  useKeys('Go to', [
    { keys: 'g p', label: 'Programs', run: () => go(href('')) },
    { keys: 'g d', label: 'Deploy', run: () => go(href('/deploy')) },
    { keys: 'g h', label: 'Host', run: () => go(href('/host')) },
  ]);
  useKeys('Everywhere', [
    { keys: '?', label: 'This list', run: showKeys },
    { keys: 't', label: 'Light or dark', run: turnTheme },
    { keys: 'u', label: 'Up: from a program to the list', run: () => go(href('')) },
  ]);
  return (
    <>
      <a class="skip" href="#main">
        To the content
      </a>
      <Bar />
      <main id="main" tabIndex={-1}>
        {isSignedOut.value ? (
          <SignInScreen />
        ) : (
          <>
            <AwayBand />
            <Screen />
          </>
        )}
      </main>
      <div id="news" class="hidden" role="status">
        {announced.value}
      </div>
      <DialogPlace />
    </>
  );
}

function Screen() {
  const [place, name] = path.value.split('/').slice(2);
  if (place === undefined || (place === 'programs' && name === undefined)) return <ListScreen />;
  if (place === 'programs' && name !== undefined) {
    const program = decoded(name);
    return <ProgramScreen key={program} name={program} />;
  }
  if (place === 'deploy') return <DeployScreen />;
  if (place === 'host') return <HostScreen />;
  if (place === 'reasons') return <ReasonsScreen />;
  if (place === 'signin') return <SignInScreen />;
  return (
    <section class="empty">
      <h1>No such page</h1>
      <p>
        <a href={href('')}>All programs</a>
      </p>
    </section>
  );
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
