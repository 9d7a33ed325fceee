import { signal } from '@preact/signals';
import type { HostView } from '../../../../schemas/host-view.ts';
import { askByName } from '../../parts/dialog.tsx';
import { wordsOfError } from '../../state/acts.ts';
import { announce } from '../../state/announce.ts';
import { client } from '../../state/client.ts';
import { askHost } from '../../state/host.ts';
import { programOf } from '../../state/programs.ts';
import { plural } from '../../words/span.ts';
import { movedManifests, type Warning } from './warning-words.ts';

/** What came of the last confirmation; it stays until the next. */
export const pruned = signal<{ role: 'busy' | 'bad'; text: string } | undefined>(undefined);

async function prune(only: 'programs' | 'strays', n: number): Promise<void> {
  pruned.value = { role: 'busy', text: 'The host is asked…' };
  try {
    const names = await client.prune(only);
    const told =
      only === 'strays'
        ? `Confirmed: ${plural(n, 'stray container')} removed.`
        : names.length === 0
          ? 'Nothing was let go: the files are back.'
          : `Confirmed. Let go: ${names.join(', ')}.`;
    pruned.value = { role: 'busy', text: told };
  } catch (error) {
    pruned.value = { role: 'bad', text: wordsOfError(error) };
  }
  announce(pruned.value.text);
  await askHost();
}

/** Asks for the host's name, and lets programs go whose manifests are gone. */
export function askPrograms({ names }: Warning, host: HostView): void {
  const serving = names.filter((name) => programOf(name)?.peek().state === 'Ready').length;
  const moved = movedManifests(host.warnings).filter((name) => names.includes(name));
  askByName({
    title: `Let ${plural(names.length, 'program')} go?`,
    word: host.name,
    what: 'name of this host',
    verb: `Let ${names.length} go`,
    says: (
      <>
        <ul class="plain">
          <li>
            Their containers are stopped and removed.{' '}
            <b>
              {serving === 0 ? 'None' : serving} of them {serving > 1 ? 'serve' : 'serves'} now.
            </b>
          </li>
          <li>
            Their /state volumes are kept for 7 days, unless the host was told otherwise; a program of the
            same name and user takes its own back.
          </li>
          {moved.length > 0 && (
            <li>
              <b>Among them</b> are those whose file was renamed: <span class="mono">{moved.join(', ')}</span>
              .
            </li>
          )}
          <li>Under git this is a commit.</li>
        </ul>
        <details>
          <summary>Which</summary>
          <p class="names">{names.join(', ')}</p>
        </details>
      </>
    ),
    onYes: () => void prune('programs', names.length),
  });
}

/** Asks for the host's name, and removes all containers that are no program's own. */
export function askStrays({ name, strays }: HostView): void {
  askByName({
    title: `Remove ${plural(strays.length, 'container')} that ${strays.length === 1 ? 'belongs' : 'belong'} to no program?`,
    word: name,
    what: 'name of this host',
    verb: `Remove ${strays.length}`,
    says: (
      <ul class="plain">
        {strays.map((stray) => (
          <li key={stray.name}>
            <span class="mono">{stray.name}</span>
            {stray.message !== '' && `, ${stray.message}`}
          </li>
        ))}
        <li>They are stopped first. Their volumes stay.</li>
      </ul>
    ),
    onYes: () => void prune('strays', strays.length),
  });
}
