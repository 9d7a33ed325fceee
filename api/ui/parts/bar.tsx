import { host } from '../state/host.ts';
import { href, path } from '../state/route.ts';
import { isSignedIn, isSignedOut, signOut } from '../state/session.ts';
import { stream } from '../state/stream.ts';
import { theme, turnTheme } from '../state/theme.ts';
import { clock, exactTime } from '../words/span.ts';
import { Button } from './button.tsx';
import { Sign } from './glyph.tsx';
import { showKeys } from './key-list.tsx';

const PLACES = [
  ['', 'Programs'],
  ['/deploy', 'Deploy'],
  ['/host', 'Host'],
] as const;

/** The top of the page; on a phone the three places are a bar at the thumb. */
export function Bar() {
  const other = theme.value === 'dark' ? 'Light' : 'Dark';
  return (
    <header id="bar">
      <a class="brand" href={href('')}>
        <b>Hersh Host</b>
        <span class="host-name">{host.value?.name ?? ''}</span>
      </a>
      <nav class="places" aria-label="Main">
        {PLACES.map(([place, label]) => (
          <a key={place} href={href(place)} aria-current={isHere(place) ? 'page' : undefined}>
            {label}
          </a>
        ))}
      </nav>
      <span class="grow" />
      {!isSignedOut.value && <Live />}
      <Button kind="quiet" label={`${other} theme`} onClick={turnTheme}>
        {other}
      </Button>
      <Button kind="quiet keys-button" title="All keys: ?" onClick={showKeys}>
        Keys
      </Button>
      {isSignedIn() && (
        <Button kind="quiet sign-out" onClick={() => void signOut()}>
          Sign out
        </Button>
      )}
    </header>
  );
}

function isHere(place: string): boolean {
  const at = path.value;
  return place === '' ? at === '/ui' || at.startsWith('/ui/programs') : at === `/ui${place}`;
}

function Live() {
  const now = stream.value;
  if (now.state === 'live')
    return (
      <span class="live" title="One stream of events from the host">
        <span class="live-dot" aria-hidden="true" />
        Live
      </span>
    );
  if (now.state === 'connecting') return <span class="live">Connecting…</span>;
  return (
    <span class="live lost" title={`${now.why}. What you see is from ${exactTime(now.since)}`}>
      <Sign role="warn" />
      <span>
        Not live: as of {clock(now.since)}
        <span class="again">, trying again</span>
      </span>
    </span>
  );
}
