import type { RemoteView } from '../../../../schemas/host-view.ts';
import { Copy, CopyButton } from '../../parts/copy.tsx';
import { Sign } from '../../parts/glyph.tsx';
import { Mono } from '../../parts/small.tsx';
import { type Edit, isChanged } from './edit.ts';

/** A host that follows git takes no edit: where to make it instead. */
export function RemoteBand({ remote, name, edit }: { remote: RemoteView; name: string; edit: Edit }) {
  const { url, branch, reason, message } = remote;
  return (
    <section class={`band ${reason === '' ? 'busy' : 'warn'}`} aria-label="This host follows git">
      <Sign role={reason === '' ? 'busy' : 'warn'} />
      <div class="band-text">
        <p>
          <b>This host follows git.</b> Manifests change by commits to <Mono>{branch}</Mono> of{' '}
          <Mono>{url}</Mono> alone.
        </p>
        <p class="do">
          Edit there: <Copy text={`programs/${name}.yaml`} />. The change is taken up at the next look.
        </p>
        {reason !== '' && (
          <p class="do">
            It does not follow now: {reason}. {message}
          </p>
        )}
        {isChanged(edit) && (
          <p class="do">
            What you typed was not applied and can not be from here:{' '}
            <CopyButton text={edit.text} of="what you typed" word="Copy what you typed" />
          </p>
        )}
      </div>
    </section>
  );
}
